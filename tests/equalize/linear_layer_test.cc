#include "equalize/linear_layer.h"

#include <gtest/gtest.h>

#include "support/model_builder.h"

namespace quantsearch::equalizing {
namespace {

using quantsearch::testing::ModelBuilder;

struct ChannelRun {
  std::int64_t input;
  std::int64_t output;
  std::int64_t offset;
  bool operator==(const ChannelRun&) const = default;
};

std::vector<ChannelRun> runs_of(const WeightLayout& layout) {
  std::vector<ChannelRun> runs;
  layout.for_each_run([&](std::int64_t input, std::int64_t output, std::int64_t offset) {
    runs.push_back(ChannelRun{input, output, offset});
  });
  return runs;
}

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

TEST(WeightLayout, ConvGroupsOwnTheirInputs) {
  // [out 4, in / 2, kernel 3]: outputs 0 and 1 read inputs 0 and 1, outputs 2 and 3 read 2 and 3.
  const auto layer = layer_of("Conv", {4, 2, 3}, {{"group", std::int64_t{2}}});
  ASSERT_TRUE(layer);
  EXPECT_EQ(layer->layout.inputs, 4);
  EXPECT_EQ(layer->layout.outputs, 4);
  EXPECT_EQ(runs_of(layer->layout), (std::vector<ChannelRun>{{0, 0, 0},
                                                             {1, 0, 3},
                                                             {0, 1, 6},
                                                             {1, 1, 9},
                                                             {2, 2, 12},
                                                             {3, 2, 15},
                                                             {2, 3, 18},
                                                             {3, 3, 21}}));
}

TEST(WeightLayout, ConvTransposeGroupsOwnTheirOutputs) {
  // [in 2, out / 2, kernel 1] with two groups: input 0 makes outputs 0 to 2, input 1 makes 3 to 5.
  const auto layer = layer_of("ConvTranspose", {2, 3, 1}, {{"group", std::int64_t{2}}});
  ASSERT_TRUE(layer);
  EXPECT_EQ(layer->layout.outputs, 6);
  EXPECT_EQ(
      runs_of(layer->layout),
      (std::vector<ChannelRun>{{0, 0, 0}, {0, 1, 1}, {0, 2, 2}, {1, 3, 3}, {1, 4, 4}, {1, 5, 5}}));
}

TEST(WeightLayout, MatrixOrderFollowsTransB) {
  EXPECT_EQ(runs_of(layer_of("Gemm", {2, 2})->layout),
            (std::vector<ChannelRun>{{0, 0, 0}, {0, 1, 1}, {1, 0, 2}, {1, 1, 3}}));
  EXPECT_EQ(runs_of(layer_of("Gemm", {2, 2}, {{"transB", std::int64_t{1}}})->layout),
            (std::vector<ChannelRun>{{0, 0, 0}, {1, 0, 1}, {0, 1, 2}, {1, 1, 3}}));
}

TEST(WeightLayout, BatchesOfAMatMulShareTheirChannels) {
  const auto layer = layer_of("MatMul", {2, 1, 2});
  ASSERT_TRUE(layer);
  EXPECT_EQ(runs_of(layer->layout),
            (std::vector<ChannelRun>{{0, 0, 0}, {0, 1, 1}, {0, 0, 2}, {0, 1, 3}}));
}

TEST(WeightLayout, DepthwiseIsOneInputToOneOutput) {
  EXPECT_TRUE(layer_of("Conv", {4, 1, 3, 3}, {{"group", std::int64_t{4}}})->layout.is_depthwise());
  EXPECT_FALSE(layer_of("Conv", {8, 1, 3, 3}, {{"group", std::int64_t{4}}})->layout.is_depthwise());
  EXPECT_FALSE(layer_of("Conv", {1, 1, 3, 3})->layout.is_depthwise());
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

TEST(PerChannel, BroadcastsFromTheLastAxis) {
  const Tensor two = Tensor::of<float>({2}, {3, 4});
  EXPECT_EQ(per_channel(two, 2, 1, 2), (std::vector<double>{3, 4}));
  EXPECT_EQ(per_channel(two, 3, 1, 2), std::nullopt);  // there it lies on axis 2
  EXPECT_EQ(per_channel(two.reshaped({2, 1}), 3, 1, 2), (std::vector<double>{3, 4}));
  EXPECT_EQ(per_channel(Tensor::scalar(7.0F), 3, 1, 2), (std::vector<double>{7, 7}));
  EXPECT_EQ(per_channel(two.reshaped({1, 1, 2}), 2, 1, 2), std::nullopt);  // would add an axis
}

}  // namespace
}  // namespace quantsearch::equalizing
