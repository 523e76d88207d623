#include "transform/names_as_read.h"

#include <gtest/gtest.h>

#include "transform/pass_test.h"

namespace quantsearch::testing {
namespace {

using Now = std::optional<std::string>;

std::string normalized(ModelBuilder& builder, const std::string& input, const std::string& name) {
  const auto channel = [&](const std::string& role, float value) {
    return builder.weight(name + role, {2}, {value, value});
  };
  return builder.node(
      "BatchNormalization",
      {input, channel("_s", 2), channel("_b", 1), channel("_m", 0), channel("_v", 1)}, {}, name);
}

std::string convolved(ModelBuilder& builder, const std::string& input, const std::string& name) {
  return builder.node("Conv", {input, builder.random_weight(name + "_w", {2, 2, 1, 1}, 1, 3)}, {},
                      name);
}

TEST(NamesAsRead, ANormalizationBecomesTheConvIntoWhichItWasFolded) {
  ModelBuilder builder;
  builder.input("x", {1, 2, 4, 4});
  const std::string conv = convolved(builder, "x", "conv_a");
  const std::string norm = normalized(builder, conv, "bn_a");
  builder.output(builder.node("Relu", {norm}, {}, "relu_a"), {1, 2, 4, 4});
  const NamesAsRead names = simplify(builder.build()).names;
  EXPECT_EQ(names.nodes.at("bn_a"), Now("conv_a"));
  EXPECT_FALSE(names.nodes.contains("conv_a"));
  EXPECT_FALSE(names.nodes.contains("relu_a"));
  // The Conv now computes other values than before.
  EXPECT_EQ(names.tensors.at(conv), (TensorNow{.name = norm, .has_same_values = false}));
  EXPECT_FALSE(names.tensors.contains(norm));
}

TEST(NamesAsRead, ACopyBecomesTheTensorThatItCopied) {
  ModelBuilder builder;
  builder.input("x", {1, 2, 4, 4});
  const std::string conv = convolved(builder, "x", "conv_a");
  const std::string copy = builder.node("Identity", {conv}, {}, "copy");
  const std::string again = builder.node("Identity", {copy}, {}, "again");
  builder.output(builder.node("Relu", {again}), {1, 2, 4, 4});
  const NamesAsRead names = simplify(builder.build()).names;
  EXPECT_EQ(names.nodes.at("copy"), Now());
  EXPECT_EQ(names.copies.at("copy"), conv);
  EXPECT_EQ(names.copies.at("again"), conv);
  EXPECT_EQ(names.tensors.at(again), (TensorNow{.name = conv}));
}

// The Conv takes over the name of the output, but not that of the Identity: excluding that node
// excludes nothing.
TEST(NamesAsRead, ACopyAtAnOutputGivesItsTensorToTheProducer) {
  ModelBuilder builder;
  builder.input("x", {1, 2, 4, 4});
  const std::string conv = convolved(builder, "x", "conv_a");
  const std::string copy = builder.node("Identity", {conv}, {}, "copy");
  builder.output(copy, {1, 2, 4, 4});
  const NamesAsRead names = simplify(builder.build()).names;
  EXPECT_EQ(names.nodes.at("copy"), Now());
  EXPECT_EQ(names.tensors.at(conv), (TensorNow{.name = copy}));
}

TEST(NamesAsRead, ANodeThatBecameAConstantHasNoSuccessor) {
  ModelBuilder builder;
  builder.input("x", {1});
  const std::string made =
      builder.node("Neg", {builder.weight("w", {1}, {1})}, {}, "made_of_constants");
  builder.output(builder.node("Add", {"x", made}, {}, "add"), {1});
  const NamesAsRead names = simplify(builder.build()).names;
  EXPECT_EQ(names.nodes.at("made_of_constants"), Now());
  EXPECT_FALSE(names.tensors.contains(made)) << "the constant has its name";
}

TEST(NamesAsRead, NodesWithoutANameAreIdentifiedByTheirFirstInput) {
  ModelBuilder builder;
  builder.input("x", {1, 2, 4, 4});
  builder.add({.op_type = "Conv",
               .domain = "",
               .name = "",
               .inputs = {"x", builder.random_weight("w", {2, 2, 1, 1}, 1, 3)},
               .outputs = {"c"},
               .attributes = {},
               .extra = ""});
  const std::string norm = normalized(builder, "c", "bn_a");
  builder.output(norm, {1, 2, 4, 4});
  const NamesAsRead names = simplify(builder.build()).names;
  EXPECT_EQ(names.nodes.at("bn_a"), Now("Conv#0"));
  EXPECT_EQ(names.tensors.at("c"), (TensorNow{.name = norm, .has_same_values = false}));
}

}  // namespace
}  // namespace quantsearch::testing
