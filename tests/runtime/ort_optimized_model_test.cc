#include <gtest/gtest.h>

#include "quantsearch/base/error.h"
#include "quantsearch/runtime.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

using testing::ModelBuilder;

/// x -> Q -> DQ -> Conv (its weight comes from a DQ) -> Q -> DQ. The weight is large enough to be
/// passed separately from the model.
Model quantized_convolution() {
  ModelBuilder builder;
  const std::string scale = builder.constant("scale", Tensor::scalar(0.05F));
  const std::string zero = builder.constant("zero", Tensor::scalar(std::uint8_t{128}));
  const std::string weight_zero = builder.constant("weight_zero", Tensor::scalar(std::int8_t{0}));
  Tensor weights(DataType::int8, {16, 16, 3, 3});
  std::int8_t value = 0;
  for (std::int8_t& weight : weights.mutable_values<std::int8_t>())
    weight = static_cast<std::int8_t>(value++ % 100);
  const std::string weight =
      builder.node("DequantizeLinear", {builder.constant("weight", weights), scale, weight_zero});
  const auto pair = [&](const std::string& tensor) {
    return builder.node("DequantizeLinear",
                        {builder.node("QuantizeLinear", {tensor, scale, zero}), scale, zero});
  };
  const std::string conv = builder.node("Conv", {pair(builder.input("x", {1, 16, 8, 8})), weight});
  builder.output(pair(conv), {1, 16, 6, 6});
  return builder.build();
}

TEST(OptimizedModel, ShowsFusedIntegerKernels) {
  const Model model = optimized_model(quantized_convolution());
  const std::map<std::string, int> counts = count_operators(model.graph);
  EXPECT_EQ(counts.count("Conv"), 0U);
  EXPECT_EQ(counts.at("QLinearConv"), 1);
}

TEST(OptimizedModel, ShowsInternalDomains) {
  const Model model =
      optimized_model(load_model(QUANTSEARCH_SOURCE_DIR "/tests/data/resnet8.onnx"));
  bool has_internal_domain = false;
  for (const Node& node : model.graph.nodes)
    has_internal_domain |= node.domain.starts_with("com.microsoft");
  EXPECT_TRUE(has_internal_domain);
}

TEST(OptimizedModel, FoldsConstants) {
  ModelBuilder builder;
  const std::string sum = builder.node(
      "Add", {builder.random_weight("a", {512}, 1, 1), builder.random_weight("b", {512}, 1, 2)});
  builder.output(builder.node("Mul", {builder.input("x", {512}), sum}), {512});
  const std::map<std::string, int> expected = {{"Mul", 1}};
  EXPECT_EQ(count_operators(optimized_model(builder.build()).graph), expected);
}

TEST(OptimizedModel, ShowsWhyAModelDoesNotLoad) {
  ModelBuilder builder;
  builder.add({.op_type = "Nonsense",
               .domain = "made.up",
               .name = "n",
               .inputs = {builder.input("x", {1})},
               .outputs = {"y"},
               .attributes = {},
               .extra = ""});
  builder.import_domain("made.up", 1);
  builder.output("y", {1});
  EXPECT_THROW((void)optimized_model(builder.build_unchecked()), InvalidInput);
}

}  // namespace
}  // namespace quantsearch
