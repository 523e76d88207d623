#include <gtest/gtest.h>

#include <cmath>

#include "equalize/equivalence.h"
#include "quantsearch/equalize.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

using testing::built;
using testing::kRounding;
using testing::ModelBuilder;
using testing::relative_difference;
using testing::weights_of;

/// Statistics of channels with these means and deviations, whose least values are 1 below the
/// means.
Statistics seen(const std::string& tensor, const std::vector<double>& means, double deviation) {
  Statistics statistics{.samples = 1, .tensors = {}};
  TensorStatistics& made = statistics.tensors[tensor];
  for (const double mean : means) {
    made.channel_min.push_back(static_cast<float>(mean - 1));
    made.channel_max.push_back(static_cast<float>(mean + 1));
    made.channel_mean.push_back(mean);
    made.channel_mean_square.push_back(mean * mean + deviation * deviation);
  }
  return statistics;
}

/// The model is x W + b, Relu, y V + d.
class AbsorbTest : public ::testing::Test {
 protected:
  AbsorbTest() {
    builder.input("x", {3, 2});
    builder.weight("w", {2, 3}, {0.1F, 0.2F, -0.1F, 0.3F, 0.1F, 0.2F});
    builder.weight("b", {3}, {5, 4, 0});
    builder.weight("v", {3, 2}, {1, 2, 3, 4, 5, 6});
    builder.weight("d", {2}, {10, 20});
    before = builder.node("Gemm", {"x", "w", "b"});
    builder.output(
        builder.node("Gemm", {builder.node("Relu", {before}), "v", "d"}, {{"alpha", 2.0F}}));
  }
  ModelBuilder builder;
  std::string before;
};

TEST_F(AbsorbTest, MovesTheLeastValue) {
  // c = 4, 3, 0: b - c = 1, 1, 0; d + 2 (4 [1 2] + 3 [3 4]) = 10 + 26, 20 + 40.
  const Model model = built(builder);
  const Equalized result =
      absorb_biases(model, seen(before, {5, 4, -2}, 0.1), BiasAbsorption::minimum);
  EXPECT_TRUE(result.changed);
  EXPECT_EQ(weights_of(result.model, "b"), (std::vector<float>{1, 1, 0}));
  EXPECT_EQ(weights_of(result.model, "d"), (std::vector<float>{36, 60}));
  EXPECT_EQ(result.notes,
            (std::vector<std::string>{
                "up to 4 in each of 2 channels moves from Gemm 'Gemm0' to Gemm 'Gemm2'"}));
  // Inputs within [-1, 2) keep the two channels above 4 and 3.
  EXPECT_LT(relative_difference(model, result.model), kRounding);
}

TEST_F(AbsorbTest, ListsTheTensorsThatItReads) {
  EXPECT_EQ(tensors_to_absorb(built(builder)), std::vector<std::string>{before});
}

TEST_F(AbsorbTest, MovesThreeDeviationsBelowTheMean) {
  const Equalized result =
      absorb_biases(built(builder), seen(before, {5, 4, -2}, 0.5), BiasAbsorption::three_sigma);
  EXPECT_NEAR(weights_of(result.model, "b")[0], 5 - 3.5, 1e-6);
  EXPECT_NEAR(weights_of(result.model, "b")[1], 4 - 2.5, 1e-6);
  EXPECT_EQ(weights_of(result.model, "b")[2], 0);
}

TEST_F(AbsorbTest, ChannelsThatReachZeroAreUnchanged) {
  const Model model = built(builder);
  for (const BiasAbsorption absorption : {BiasAbsorption::minimum, BiasAbsorption::three_sigma}) {
    const Equalized result = absorb_biases(model, seen(before, {1, 0.5, -2}, 0.4), absorption);
    EXPECT_FALSE(result.changed);
    EXPECT_EQ(result.model, model);
  }
  EXPECT_FALSE(absorb_biases(model, seen(before, {5, 4, 3}, 0.1), BiasAbsorption::none).changed);
  EXPECT_FALSE(absorb_biases(model, {}, BiasAbsorption::minimum).changed);
}

TEST(Absorb, AConvolutionWithoutBiasGetsOne) {
  ModelBuilder builder;
  builder.input("x", {1, 2, 5, 5});
  builder.constant("w", testing::random_tensor({4, 2, 1, 1}, 1, 0, 0.1F));
  builder.weight("b", {4}, {3, 4, 5, 6});
  builder.random_weight("v", {4, 2, 2, 2}, 1, 2);
  const std::string y = builder.node("Conv", {"x", "w", "b"});
  const std::string z = builder.node("MaxPool", {builder.node("Relu", {y})},
                                     {{"kernel_shape", std::vector<std::int64_t>{2, 2}}});
  builder.output(builder.node("Conv", {z, "v"}, {{"group", std::int64_t{2}}}));
  Model model = infer_shapes(builder.build_unchecked());
  const Equalized result =
      absorb_biases(model, seen(y, {3.5, 4.5, 5.5, 6.5}, 0.1), BiasAbsorption::minimum);
  EXPECT_EQ(result.model.graph.nodes[3].inputs[2], "v_bias");
  EXPECT_EQ(weights_of(result.model, "b"), (std::vector<float>{0.5, 0.5, 0.5, 0.5}));
  EXPECT_LT(relative_difference(model, result.model), kRounding);
}

TEST(Absorb, APaddedConvolutionAbsorbsNothing) {
  for (const auto& padding : {Attribute{"pads", std::vector<std::int64_t>{1, 1, 1, 1}},
                              Attribute{"auto_pad", std::string("SAME_UPPER")}}) {
    ModelBuilder builder;
    builder.input("x", {1, 2, 5, 5});
    const std::string y = builder.node("Conv", {"x", builder.random_weight("w", {2, 2, 1, 1}, 1, 1),
                                                builder.weight("b", {2}, {9, 9})});
    builder.output(builder.node(
        "Conv", {builder.node("Relu", {y}), builder.random_weight("v", {2, 2, 3, 3}, 1, 2)},
        {padding}));
    EXPECT_FALSE(
        absorb_biases(built(builder), seen(y, {9, 9}, 0.1), BiasAbsorption::minimum).changed);
  }
}

TEST(Absorb, AMatMulAbsorbsInTheAddAfterIt) {
  ModelBuilder builder;
  builder.input("x", {3, 2});
  const std::string y = builder.node("MatMul", {"x", builder.random_weight("w", {2, 2}, 0.1F, 1)});
  const std::string z = builder.node("Add", {builder.weight("b", {2}, {5, 6}), y});
  const std::string u =
      builder.node("MatMul", {builder.node("Relu", {z}), builder.random_weight("v", {2, 3}, 1, 2)});
  builder.output(builder.node("Sub", {u, builder.weight("d", {1, 3}, {1, 2, 3})}));
  const Model model = built(builder);
  const Equalized result = absorb_biases(model, seen(z, {5, 6}, 0.1), BiasAbsorption::minimum);
  EXPECT_EQ(weights_of(result.model, "b"), (std::vector<float>{1, 1}));
  EXPECT_NE(weights_of(result.model, "d"), weights_of(model, "d"));
  EXPECT_LT(relative_difference(model, result.model), kRounding);
}

TEST(Absorb, AMatMulWithoutAnAddAbsorbsNothing) {
  ModelBuilder builder;
  builder.input("x", {3, 2});
  const std::string y = builder.node(
      "Gemm", {"x", builder.random_weight("w", {2, 2}, 0.1F, 1), builder.weight("b", {2}, {5, 6})});
  builder.output(builder.node(
      "MatMul", {builder.node("Relu", {y}), builder.random_weight("v", {2, 3}, 1, 2)}));
  EXPECT_FALSE(
      absorb_biases(built(builder), seen(y, {5, 6}, 0.1), BiasAbsorption::minimum).changed);
}

TEST(Absorb, StatisticsOfAnotherAxisAreNotUsed) {
  ModelBuilder builder;
  builder.input("x", {1, 2, 2});
  const std::string y = builder.node("MatMul", {"x", builder.random_weight("w", {2, 2}, 0.1F, 1)});
  const std::string z = builder.node("Add", {y, builder.weight("b", {2}, {5, 6})});
  const std::string u =
      builder.node("MatMul", {builder.node("Relu", {z}), builder.random_weight("v", {2, 3}, 1, 2)});
  builder.output(builder.node("Add", {u, builder.weight("d", {3}, {1, 2, 3})}));
  Statistics statistics = seen(z, {5, 6}, 0.1);  // for axis 1, that is, the rows
  EXPECT_FALSE(absorb_biases(built(builder), statistics, BiasAbsorption::minimum).changed);
  statistics.tensors[z].channels_last = true;
  EXPECT_TRUE(absorb_biases(built(builder), statistics, BiasAbsorption::minimum).changed);
}

TEST(Absorb, ALayerBetweenTwoOthersPassesOnAndAbsorbs) {
  ModelBuilder builder;
  builder.input("x", {3, 2});
  std::string y = "x";
  Statistics statistics{.samples = 1, .tensors = {}};
  for (const char* name : {"1", "2", "3"}) {
    y = builder.node("Gemm", {y, builder.random_weight(std::string("w") + name, {2, 2}, 0.1F, 3),
                              builder.weight(std::string("b") + name, {2}, {5, 6})});
    statistics.tensors[y] = seen(y, {4.5, 5}, 0.1).tensors.at(y);
    y = builder.node("Relu", {y});
  }
  builder.output(y);
  const Model model = built(builder);
  const Equalized result = absorb_biases(model, statistics, BiasAbsorption::minimum);
  EXPECT_EQ(result.notes.size(), 2U);
  EXPECT_LT(relative_difference(model, result.model), kRounding);
}

}  // namespace
}  // namespace quantsearch
