#include "quantsearch/quantize/quantized_already.h"

#include <gtest/gtest.h>

#include "quantize/fixture.h"
#include "quantsearch/base/error.h"

namespace quantsearch::testing {
namespace {

using Counts = std::map<std::string, int>;

Tensor int8s(const Shape& shape) { return {DataType::int8, shape}; }

std::string scale(ModelBuilder& builder) { return builder.constant("scale", Tensor::scalar(0.1F)); }

std::string zero(ModelBuilder& builder) {
  return builder.constant("zero", Tensor::scalar(std::int8_t{0}));
}

std::string pair_of(ModelBuilder& builder, const std::string& tensor) {
  const std::string integers = builder.node("QuantizeLinear", {tensor, "scale", "zero"});
  return builder.node("DequantizeLinear", {integers, "scale", "zero"});
}

/// A weight that is stored as integers.
std::string stored_weight(ModelBuilder& builder) {
  return builder.node("DequantizeLinear", {builder.constant("w", int8s({4, 3})), "scale", "zero"});
}

/// x -> pair -> MatMul with a stored weight -> pair -> MatMul with a float weight.
Model half_quantized() {
  ModelBuilder builder;
  builder.input("x", {1, 4});
  scale(builder);
  zero(builder);
  const std::string first =
      builder.node("MatMul", {pair_of(builder, "x"), stored_weight(builder)}, {}, "first");
  const std::string second = builder.node(
      "MatMul", {pair_of(builder, first), builder.random_weight("v", {3, 4}, 1, 1)}, {}, "second");
  builder.output(second, {1, 4});
  return builder.build();
}

TEST(QuantizedAlready, IsEmptyForAFloatModel) {
  ModelBuilder builder;
  builder.input("x", {1, 4});
  builder.output(builder.node("MatMul", {"x", builder.random_weight("w", {4, 3}, 1, 1)}), {1, 3});
  const QuantizedAlready found = quantized_already(builder.build());
  EXPECT_EQ(found.of_activations, Counts{});
  EXPECT_EQ(found.of_weights, Counts{});
}

TEST(QuantizedAlready, AModelWithStoredIntegersHasFloatActivations) {
  ModelBuilder builder;
  builder.input("x", {1, 4});
  scale(builder);
  zero(builder);
  builder.output(builder.node("MatMul", {"x", stored_weight(builder)}), {1, 3});
  const Model model = builder.build();
  EXPECT_EQ(quantized_already(model).of_activations, Counts{});
  EXPECT_EQ(quantized_already(model).of_weights, (Counts{{"DequantizeLinear", 1}}));
  EXPECT_NO_THROW(require_float_activations(model));
}

// Quantization-aware training exports float weights followed by a pair.
TEST(QuantizedAlready, APairAfterAConstantIsNoActivation) {
  ModelBuilder builder;
  builder.input("x", {1, 4});
  scale(builder);
  zero(builder);
  const std::string weight = pair_of(builder, builder.random_weight("w", {4, 3}, 1, 1));
  builder.output(builder.node("MatMul", {"x", weight}), {1, 3});
  EXPECT_EQ(quantized_already(builder.build()).of_activations, Counts{});
}

TEST(QuantizedAlready, AModelWithBlockwiseWeightsHasFloatActivations) {
  ModelBuilder builder;
  builder.input("x", {1, 32});
  builder.import_domain("com.microsoft", 1);
  builder.add({.op_type = "MatMulNBits",
               .domain = "com.microsoft",
               .name = "",
               .inputs = {"x", builder.constant("w", Tensor(DataType::uint8, {4, 1, 16})),
                          builder.weight("s", {4}, {1, 1, 1, 1})},
               .outputs = {"y"},
               .attributes = {},
               .extra = ""});
  builder.output("y", {1, 4});
  const QuantizedAlready found = quantized_already(builder.build_unchecked());
  EXPECT_EQ(found.of_activations, Counts{});
  EXPECT_EQ(found.of_weights, (Counts{{"MatMulNBits", 1}}));
}

TEST(QuantizedAlready, CountsEveryOperatorOnQuantizedActivations) {
  ModelBuilder builder;
  builder.input("x", {1, 4});
  scale(builder);
  zero(builder);
  builder.import_domain("com.microsoft", 1);
  const auto add = [&](const std::string& op_type, const std::string& domain,
                       const std::vector<std::string>& outputs) {
    builder.add({.op_type = op_type,
                 .domain = domain,
                 .name = "",
                 .inputs = {"x"},
                 .outputs = outputs,
                 .attributes = {},
                 .extra = ""});
  };
  add("DynamicQuantizeLinear", "", {"q", "s", "z"});
  add("ConvInteger", "", {"ci"});
  add("MatMulInteger", "", {"mi"});
  add("QLinearConv", "", {"qc"});
  add("QLinearAdd", "com.microsoft", {"qa"});
  add("QGemm", "com.microsoft", {"qg"});
  add("DynamicQuantizeMatMul", "com.microsoft", {"dm"});
  add("QLinearConv", "somebody.else", {"other"});
  builder.output(pair_of(builder, "x"), {1, 4});
  EXPECT_EQ(quantized_already(builder.build_unchecked()).of_activations,
            (Counts{{"ConvInteger", 1},
                    {"DynamicQuantizeLinear", 1},
                    {"DynamicQuantizeMatMul", 1},
                    {"MatMulInteger", 1},
                    {"QGemm", 1},
                    {"QLinearAdd", 1},
                    {"QLinearConv", 1},
                    {"QuantizeLinear", 1}}));
}

TEST(QuantizedAlready, CountsOperatorsOfBodies) {
  ModelBuilder inside;
  inside.add({.op_type = "DynamicQuantizeLinear",
              .domain = "",
              .name = "",
              .inputs = {"x"},
              .outputs = {"q", "s", "z"},
              .attributes = {},
              .extra = ""});
  inside.output("q", {1, 4}, DataType::uint8);
  ModelBuilder builder;
  builder.input("x", {1, 4});
  builder.input("c", {}, DataType::boolean);
  const auto body = std::make_shared<const Graph>(inside.build_unchecked().graph);
  builder.output(builder.node(
      "If", {"c"},
      {{.name = "then_branch", .value = body}, {.name = "else_branch", .value = body}}));
  EXPECT_EQ(quantized_already(builder.build_unchecked()).of_activations,
            (Counts{{"DynamicQuantizeLinear", 2}}));
}

TEST(QuantizedAlready, TheMessageNamesTheOperators) {
  try {
    require_float_activations(half_quantized());
    FAIL();
  } catch (const InvalidInput& error) {
    EXPECT_STREQ(error.what(),
                 "quantize: the model is quantized already: its activations go through 2 "
                 "QuantizeLinear; give the float model it was made from, or quantize what is left "
                 "float with --requantize (key 'requantize')");
  }
}

TEST(QuantizedAlready, QuantizedNodesStayUnchanged) {
  const Model model = half_quantized();
  const QuantizedModel result = quantized(model);
  EXPECT_EQ(reason_of(result.layers, "first"), "it is quantized already");
  EXPECT_TRUE(is_quantized(result.layers, "second"));
  // The pairs of the model stay, and the second layer adds one for its input and one for its
  // output.
  EXPECT_EQ(count_of(result.model, "QuantizeLinear"), count_of(model, "QuantizeLinear") + 2);
}

}  // namespace
}  // namespace quantsearch::testing
