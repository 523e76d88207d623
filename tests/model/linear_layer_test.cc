#include "quantsearch/internal/model/linear_layer.h"

#include <gtest/gtest.h>

namespace quantsearch {
namespace {

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

Node node_of(const std::string& op, std::vector<Attribute> attributes = {}) {
  return {.op_type = op, .attributes = std::move(attributes)};
}
Attribute groups(std::int64_t count) { return {"group", count}; }
Attribute transposed() { return {"transB", std::int64_t{1}}; }

/// The offsets of all rows, one after the other.
std::vector<std::int64_t> offsets_of(const WeightLayout& layout) {
  std::vector<std::int64_t> offsets;
  for (std::int64_t row = 0; row < layout.rows(); ++row) {
    for (std::int64_t column = 0; column < layout.columns(); ++column)
      offsets.push_back(layout.offset(row, column));
  }
  return offsets;
}

TEST(WeightLayout, ConvGroupsOwnTheirInputs) {
  // [out 4, in / 2, kernel 3]: outputs 0 and 1 read inputs 0 and 1, outputs 2 and 3 read 2 and 3.
  const auto layout = weight_layout(node_of("Conv", {groups(2)}), {4, 2, 3});
  ASSERT_TRUE(layout);
  EXPECT_EQ(layout->inputs, 4);
  EXPECT_EQ(layout->outputs, 4);
  EXPECT_EQ(layout->output_axis, 0);
  EXPECT_EQ(runs_of(*layout), (std::vector<ChannelRun>{{0, 0, 0},
                                                       {1, 0, 3},
                                                       {0, 1, 6},
                                                       {1, 1, 9},
                                                       {2, 2, 12},
                                                       {3, 2, 15},
                                                       {2, 3, 18},
                                                       {3, 3, 21}}));
  EXPECT_EQ(layout->columns(), 6);
  EXPECT_EQ(layout->offset(2, 1), 13);
  EXPECT_EQ(layout->group_of(1), 0);
  EXPECT_EQ(layout->group_of(2), 1);
}

TEST(WeightLayout, ConvTransposeGroupsOwnTheirOutputs) {
  // [in 4, out / 2, kernel 2] with two groups: inputs 0 and 1 contribute to outputs 0 to 2.
  const auto layout = weight_layout(node_of("ConvTranspose", {groups(2)}), {4, 3, 2});
  ASSERT_TRUE(layout);
  EXPECT_EQ(layout->inputs, 4);
  EXPECT_EQ(layout->outputs, 6);
  EXPECT_EQ(layout->output_axis, std::nullopt);
  EXPECT_EQ(runs_of(*layout), (std::vector<ChannelRun>{{0, 0, 0},
                                                       {0, 1, 2},
                                                       {0, 2, 4},
                                                       {1, 0, 6},
                                                       {1, 1, 8},
                                                       {1, 2, 10},
                                                       {2, 3, 12},
                                                       {2, 4, 14},
                                                       {2, 5, 16},
                                                       {3, 3, 18},
                                                       {3, 4, 20},
                                                       {3, 5, 22}}));
  EXPECT_EQ(offsets_of(*layout),
            (std::vector<std::int64_t>{0,  1,  6,  7,  2,  3,  8,  9,  4,  5,  10, 11,
                                       12, 13, 18, 19, 14, 15, 20, 21, 16, 17, 22, 23}));
}

TEST(WeightLayout, MatrixOrderFollowsTransB) {
  const auto plain = weight_layout(node_of("Gemm"), {2, 2});
  const auto transposed_b = weight_layout(node_of("Gemm", {transposed()}), {2, 2});
  ASSERT_TRUE(plain && transposed_b);
  EXPECT_EQ(runs_of(*plain), (std::vector<ChannelRun>{{0, 0, 0}, {0, 1, 1}, {1, 0, 2}, {1, 1, 3}}));
  EXPECT_EQ(runs_of(*transposed_b),
            (std::vector<ChannelRun>{{0, 0, 0}, {1, 0, 1}, {0, 1, 2}, {1, 1, 3}}));
  EXPECT_EQ(plain->output_axis, 1);
  EXPECT_EQ(transposed_b->output_axis, 0);
  EXPECT_EQ(offsets_of(*plain), (std::vector<std::int64_t>{0, 2, 1, 3}));
  EXPECT_EQ(offsets_of(*transposed_b), (std::vector<std::int64_t>{0, 1, 2, 3}));
}

TEST(WeightLayout, MatricesOfAStackShareTheirChannels) {
  const auto layout = weight_layout(node_of("MatMul"), {2, 1, 2});
  ASSERT_TRUE(layout);
  EXPECT_EQ(runs_of(*layout),
            (std::vector<ChannelRun>{{0, 0, 0}, {0, 1, 1}, {0, 0, 2}, {0, 1, 3}}));
  EXPECT_EQ(layout->output_axis, std::nullopt);
  // Two matrices [3, 4]: row 5 is column 1 of the second.
  const auto stack = weight_layout(node_of("MatMul"), {2, 3, 4});
  ASSERT_TRUE(stack);
  EXPECT_EQ(stack->rows(), 8);
  EXPECT_EQ(stack->columns(), 3);
  EXPECT_EQ(stack->offset(5, 2), 12 + 2 * 4 + 1);
}

TEST(WeightLayout, AVectorIsOneColumn) {
  const auto layout = weight_layout(node_of("MatMul"), {4});
  ASSERT_TRUE(layout);
  EXPECT_EQ(layout->rows(), 1);
  EXPECT_EQ(offsets_of(*layout), (std::vector<std::int64_t>{0, 1, 2, 3}));
}

TEST(WeightLayout, AVisitOfARowSeesItsOffsets) {
  const WeightLayout layouts[] = {*weight_layout(node_of("Conv", {groups(2)}), {4, 2, 3, 1}),
                                  *weight_layout(node_of("ConvTranspose", {groups(2)}), {4, 3, 2}),
                                  *weight_layout(node_of("MatMul"), {2, 3, 4})};
  for (const WeightLayout& layout : layouts) {
    std::vector<std::int64_t> visited;
    for (std::int64_t row = 0; row < layout.rows(); ++row) {
      layout.for_each_in_row(row, [&](std::int64_t column, std::int64_t offset) {
        EXPECT_EQ(column, std::ssize(visited) % layout.columns());
        visited.push_back(offset);
      });
    }
    EXPECT_EQ(visited, offsets_of(layout));
  }
}

TEST(WeightLayout, DepthwiseIsOneInputToOneOutput) {
  EXPECT_TRUE(weight_layout(node_of("Conv", {groups(4)}), {4, 1, 3, 3})->is_depthwise());
  EXPECT_FALSE(weight_layout(node_of("Conv", {groups(4)}), {8, 1, 3, 3})->is_depthwise());
  EXPECT_FALSE(weight_layout(node_of("Conv"), {1, 1, 3, 3})->is_depthwise());
}

TEST(WeightLayout, IsAbsentForShapesThatDoNotFit) {
  EXPECT_FALSE(weight_layout(node_of("Conv", {groups(2)}), {3, 2, 3}));
  EXPECT_FALSE(weight_layout(node_of("Conv"), {4, 4}));
  EXPECT_FALSE(weight_layout(node_of("Conv"), {0, 4, 3}));
  EXPECT_FALSE(weight_layout(node_of("Gemm"), {4}));
  EXPECT_FALSE(weight_layout(node_of("MatMul"), {}));
  EXPECT_FALSE(weight_layout(node_of("Add"), {4, 4}));
}

TEST(BiasPerChannel, MultipliesTheBetaOfGemm) {
  const Tensor bias = Tensor::of<float>({1, 2}, {5, -6});
  EXPECT_EQ(bias_per_channel(node_of("Gemm", {{"beta", 0.5F}}), bias, 2),
            (std::vector<double>{2.5, -3}));
  EXPECT_EQ(bias_per_channel(node_of("Gemm"), bias.reshaped({2, 1}), 2), std::nullopt);
}

TEST(Scaled, MultipliesACopyAndSharesTheBytesForOne) {
  const Tensor weight = Tensor::of<float>({2}, {3, -4});
  EXPECT_EQ(scaled(weight, 0.5F), Tensor::of<float>({2}, {1.5F, -2}));
  EXPECT_EQ(weight, Tensor::of<float>({2}, {3, -4}));
  EXPECT_EQ(scaled(weight, 1).bytes().data(), weight.bytes().data());
}

TEST(PerChannel, BroadcastsFromTheLastAxis) {
  const Tensor two = Tensor::of<float>({2}, {3, 4});
  EXPECT_EQ(values_per_channel(two, 2, 1, 2), (std::vector<double>{3, 4}));
  EXPECT_EQ(values_per_channel(two, 3, 1, 2), std::nullopt);  // there it lies on axis 2
  EXPECT_EQ(values_per_channel(two.reshaped({2, 1}), 3, 1, 2), (std::vector<double>{3, 4}));
  EXPECT_EQ(values_per_channel(Tensor::scalar(7.0F), 3, 1, 2), (std::vector<double>{7, 7}));
  EXPECT_EQ(values_per_channel(two.reshaped({1, 1, 2}), 2, 1, 2),
            std::nullopt);  // would add an axis
}

}  // namespace
}  // namespace quantsearch
