#include "equalize/linear_layer.h"

#include <gtest/gtest.h>

#include "support/model_builder.h"

namespace quantsearch::equalizing {
namespace {

using quantsearch::testing::ModelBuilder;

/// The one node of a model with input x of `shape`.
std::optional<LinearLayer> layer_of(const std::string& op, const Shape& weight,
                                    std::vector<Attribute> attributes = {},
                                    const Shape& bias = {}) {
  ModelBuilder builder;
  builder.input("x", {1, 4, 8, 8});
  std::vector<std::string> inputs = {"x", builder.constant("w", Tensor(DataType::float32, weight))};
  if (!bias.empty()) inputs.push_back(builder.random_weight("b", bias, 1, 3));
  builder.output(builder.node(op, inputs, std::move(attributes)));
  const Model model = builder.build_unchecked();
  return linear_layer(model.graph, GraphIndex(model.graph), 0);
}

TEST(LinearLayer, BetaIsInTheBias) {
  ModelBuilder builder;
  builder.input("x", {1, 2});
  builder.output(builder.node(
      "Gemm",
      {"x", builder.weight("w", {2, 2}, {1, 2, 3, 4}), builder.weight("b", {1, 2}, {5, -6})},
      {{"beta", 0.5F}}));
  const Model model = builder.build_unchecked();
  const auto layer = linear_layer(model.graph, GraphIndex(model.graph), 0);
  ASSERT_TRUE(layer);
  EXPECT_EQ(layer->bias.values, (std::vector<double>{2.5, -3}));
}

TEST(LinearLayer, ABiasOfRowsIsNotOnePerChannel) {
  EXPECT_FALSE(layer_of("Gemm", {2, 2}, {}, {3, 1})->bias.is_readable);
  EXPECT_FALSE(layer_of("Gemm", {2, 2}, {}, {2, 2})->bias.is_readable);
  EXPECT_TRUE(layer_of("Gemm", {2, 2}, {}, {1})->bias.is_readable);
}

TEST(LinearLayer, WeightsThatDoNotFitAreNone) {
  EXPECT_FALSE(layer_of("Conv", {3, 2, 3}, {{"group", std::int64_t{2}}}));
  EXPECT_FALSE(layer_of("Conv", {4, 4}));
  EXPECT_FALSE(layer_of("Conv", {0, 4, 3}));
  EXPECT_FALSE(layer_of("MatMul", {4}));
  EXPECT_FALSE(layer_of("Add", {4, 4}));
}

TEST(LinearLayer, AWeightThatCallersMayOverrideIsNotConstant) {
  ModelBuilder builder;
  builder.input("x", {1, 2});
  builder.input("w", {2, 2});
  builder.weight("w", {2, 2}, {1, 2, 3, 4});
  builder.output(builder.node("MatMul", {"x", "w"}));
  const Model model = builder.build_unchecked();
  EXPECT_FALSE(linear_layer(model.graph, GraphIndex(model.graph), 0));
}

}  // namespace
}  // namespace quantsearch::equalizing
