#include "placement/units.h"

#include <gtest/gtest.h>

#include "support/model_builder.h"

namespace quantsearch {
namespace {

using testing::ModelBuilder;

std::vector<LayerRecord> records(const Model& model, const std::set<std::string>& quantized) {
  std::vector<LayerRecord> layers;
  for (const Node& node : model.graph.nodes)
    layers.push_back({.node = node.name,
                      .op_type = node.op_type,
                      .quantized = quantized.contains(node.op_type),
                      .reason = ""});
  return layers;
}

/// Two equal Convs with a HardSwish each, and a Softmax.
Model two_convs() {
  ModelBuilder builder;
  builder.random_weight("v", {4, 4, 1, 1}, 1, 1);
  builder.random_weight("w", {4, 4, 1, 1}, 1, 2);
  std::string value = builder.input("x", {1, 4, 5, 5});
  for (const char* weight : {"v", "w"})
    value = builder.node("HardSwish", {builder.node("Conv", {value, weight})});
  builder.output(builder.node("Softmax", {value}), {1, 4, 5, 5});
  return builder.build();
}

TEST(Units, ANodeWithoutAKernelBelongsToTheLayerBeforeIt) {
  const Model model = two_convs();
  const std::vector<KernelTime> kernels = {{.name = "@0@0_nchwc", .op_type = "Conv"},
                                           {.name = "@2@0_nchwc", .op_type = "Conv"},
                                           {.name = "@4@", .op_type = "Softmax"}};
  const Units found = find_units(model.graph, kernels, records(model, {"Conv"}));
  ASSERT_EQ(found.units.size(), 3);
  EXPECT_EQ(found.units[0].nodes, (std::vector{0, 1}));
  EXPECT_EQ(found.units[1].nodes, (std::vector{2, 3}));
  EXPECT_EQ(found.of_node, (std::vector{0, 0, 1, 1, 2}));
  EXPECT_EQ(found.units[0].pattern, found.units[1].pattern);
  EXPECT_NE(found.units[0].pattern, found.units[2].pattern);
  EXPECT_TRUE(found.units[0].can_be_integer);
  EXPECT_FALSE(found.units[2].can_be_integer);
}

/// The runtime names a fused kernel after the layer or after the activation.
TEST(Units, ALayerWithoutAKernelBelongsToItsActivation) {
  const Model model = two_convs();
  const std::vector<KernelTime> kernels = {{.name = "@0@0_nchwc", .op_type = "Conv"},
                                           {.name = "@3@0_nchwc", .op_type = "Conv"},
                                           {.name = "@4@", .op_type = "Softmax"}};
  const Units found = find_units(model.graph, kernels, records(model, {"Conv"}));
  EXPECT_EQ(found.of_node, (std::vector{0, 0, 1, 1, 2}));
}

TEST(Units, AnActivationWithAKernelOfItsOwnIsPlacedAlone) {
  const Model model = two_convs();
  std::vector<KernelTime> kernels;
  for (const char* name : {"@0@", "@1@", "@2@", "@3@", "@4@"}) kernels.push_back({.name = name});
  EXPECT_EQ(find_units(model.graph, kernels, records(model, {"Conv"})).units.size(), 5);
}

TEST(Units, TheBiasOfAMatMulGoesWithIt) {
  ModelBuilder builder;
  builder.random_weight("w", {4, 4}, 1, 1);
  builder.random_weight("b", {4}, 1, 2);
  const std::string product = builder.node("MatMul", {builder.input("x", {2, 4}), "w"});
  builder.output(builder.node("Add", {"b", product}), {2, 4});
  const Model model = builder.build();
  const std::vector<KernelTime> kernels = {{.name = "@0@"}, {.name = "@1@"}};
  EXPECT_EQ(find_units(model.graph, kernels, records(model, {"MatMul", "Add"})).units.size(), 1);
}

TEST(Units, PatternsTellShapesAndAttributesApart) {
  ModelBuilder builder;
  builder.random_weight("v", {4, 4, 3, 3}, 1, 1);
  const Attribute strides{.name = "strides", .value = std::vector<std::int64_t>{2, 2}};
  const std::string x = builder.input("x", {1, 4, 9, 9});
  const std::string wide = builder.node("Conv", {x, "v"});
  const std::string narrow = builder.node("Conv", {x, "v"}, {strides});
  builder.output(wide, {1, 4, 7, 7});
  builder.output(narrow, {1, 4, 4, 4});
  builder.output(builder.node("Conv", {wide, "v"}), {1, 4, 5, 5});
  const Model model = builder.build();
  const std::vector<KernelTime> kernels = {{.name = "@0@"}, {.name = "@1@"}, {.name = "@2@"}};
  const Units found = find_units(model.graph, kernels, records(model, {"Conv"}));
  EXPECT_EQ(found.units[0].pattern, "Conv/spatial [1,4,9,9] [4,4,3,3]");
  EXPECT_EQ(found.units[1].pattern, "Conv/spatial strides 2x2 [1,4,9,9] [4,4,3,3]");
  EXPECT_EQ(found.units[2].pattern, "Conv/spatial [1,4,7,7] [4,4,3,3]");
}

}  // namespace
}  // namespace quantsearch
