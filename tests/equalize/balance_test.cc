#include "equalize/balance.h"

#include <gtest/gtest.h>

#include <cmath>

#include "equalize/equivalence.h"
#include "support/model_builder.h"

namespace quantsearch::equalizing {
namespace {

using quantsearch::testing::kTiny;
using quantsearch::testing::ModelBuilder;

const EqualizeOptions kPlain{.use_threshold = false, .append_bias = false};

/// MatMuls one after the other: [inputs, a], [a, b], ...
ChainMap chain(const std::vector<std::pair<Shape, std::vector<float>>>& weights,
               const std::vector<float>& bias = {}) {
  ModelBuilder builder;
  std::string y = builder.input("x", {1, weights[0].first[0]});
  for (std::size_t layer = 0; layer < weights.size(); ++layer) {
    std::vector<std::string> inputs = {
        y,
        builder.weight("w" + std::to_string(layer), weights[layer].first, weights[layer].second)};
    if (layer == 0 && !bias.empty())
      inputs.push_back(builder.weight("b", {std::ssize(bias)}, bias));
    y = builder.node("Gemm", inputs);
  }
  builder.output(y);
  const Model model = builder.build_unchecked();
  return find_chains(model.graph, GraphIndex(model.graph));
}

std::vector<std::vector<double>> nothing_added(const ChainMap& chains) {
  return std::vector<std::vector<double>>(chains.links.size());
}

Balance balance_of(const ChainMap& chains, const EqualizeOptions& options) {
  return balance(chains, nothing_added(chains), options);
}

TEST(Balance, APairGetsTheGeometricMean) {
  // In channel 0 the weights 4 and 1 become 2; in channel 1 the weights 1 and 9 become 3.
  const ChainMap chains = chain({{{2, 2}, {4, 0.5F, -1, -1}}, {{2, 1}, {1, -9}}});
  const Balance result = balance_of(chains, kPlain);
  ASSERT_EQ(result.scales.size(), 1U);
  EXPECT_NEAR(result.scales[0][0], 0.5, kTiny);
  EXPECT_NEAR(result.scales[0][1], 3, kTiny);
  EXPECT_EQ(result.sweeps, 1);
}

TEST(Balance, ADepthwiseLayerIsBalancedWithBothNeighbours) {
  // The largest weights of the first channel are 8, 1, 27: all become 6.
  ModelBuilder builder;
  builder.input("x", {1, 1, 3, 3});
  std::string y = builder.node("Conv", {"x", builder.weight("a", {2, 1, 1, 1}, {8, 1})});
  y = builder.node("Conv", {y, builder.weight("d", {2, 1, 1, 1}, {1, 1})},
                   {{"group", std::int64_t{2}}});
  builder.output(builder.node("Conv", {y, builder.weight("c", {1, 2, 1, 1}, {27, 1})}));
  const Model model = builder.build_unchecked();
  const ChainMap chains = find_chains(model.graph, GraphIndex(model.graph));
  const Balance result = balance_of(chains, kPlain);
  ASSERT_EQ(result.scales.size(), 2U);
  EXPECT_NEAR(result.scales[0][0], 6.0 / 8, kTiny);
  EXPECT_NEAR(result.scales[1][0] / result.scales[0][0], 6, kTiny);  // on the depthwise weight
  EXPECT_NEAR(27 / result.scales[1][0], 6, kTiny);
  EXPECT_NEAR(result.scales[0][1], 1, kTiny);
}

TEST(Balance, ThreeLayersNeedSeveralSweeps) {
  const ChainMap chains = chain({{{1, 1}, {1}}, {{1, 1}, {1}}, {{1, 1}, {64}}});
  EqualizeOptions options = kPlain;
  options.steps = std::nullopt;
  options.total_difference = 1e-9;
  const Balance result = balance_of(chains, options);
  EXPECT_NEAR(result.scales[0][0], 4, 1e-7);
  EXPECT_NEAR(result.scales[1][0], 16, 1e-7);
  EXPECT_GT(result.sweeps, 5);
  EXPECT_LT(result.sweeps, 60);
}

TEST(Balance, ChannelsOfEqualSizeAreUnchanged) {
  const ChainMap chains = chain({{{1, 2}, {3, 5}}, {{2, 1}, {-3, 5}}});
  EXPECT_EQ(balance_of(chains, kPlain).scales[0], (std::vector<double>{1, 1}));
}

TEST(Balance, DeadChannelsKeepTheirScale) {
  const ChainMap chains = chain({{{1, 3}, {0, 1, 1e-30F}}, {{3, 1}, {5, 0, 1e30F}}});
  EXPECT_EQ(balance_of(chains, kPlain).scales[0], (std::vector<double>{1, 1, 1}));
}

TEST(Balance, SmallChannelsKeepTheirScaleBelowTheThreshold) {
  const ChainMap chains = chain({{{1, 2}, {0.375F, 0.25F}}, {{2, 1}, {0.125F, 0.125F}}});
  const EqualizeOptions options{.weight_threshold = 0.5, .append_bias = false};
  const Balance result = balance_of(chains, options);
  EXPECT_NE(result.scales[0][0], 1);  // the sum is 0.5, which is not below the threshold
  EXPECT_EQ(result.scales[0][1], 1);
}

TEST(Balance, AShareOfTheBiasCountsAsAWeight) {
  // |b| / |w| is 2 in both channels, so the divisor is 2: 8 / 2 is balanced with 4, and 2 / 2 with
  // 1.
  const std::vector<std::pair<Shape, std::vector<float>>> weights = {{{1, 2}, {1, 1}},
                                                                     {{2, 1}, {1, 1}}};
  EqualizeOptions options{.use_threshold = false, .append_bias = true};
  const Balance with = balance_of(chain(weights, {8, -2}), options);
  EXPECT_NEAR(with.scales[0][0], 0.5, kTiny);  // 4 and 1 become 2
  EXPECT_NEAR(with.scales[0][1], 1, kTiny);    // 1 and 1
  options.append_bias = false;
  EXPECT_EQ(balance_of(chain(weights, {8, -2}), options).scales[0], (std::vector<double>{1, 1}));
}

TEST(Balance, ConstantsAddedInALinkCountAsBias) {
  const ChainMap chains = chain({{{1, 1}, {1}}, {{1, 1}, {1}}});
  const EqualizeOptions options{.use_threshold = false, .append_bias = true};
  EXPECT_NEAR(balance(chains, {{8.0}}, options).scales[0][0], 0.5, kTiny);
}

TEST(Balance, ADeadChannelIsNotRevivedByItsBias) {
  const ChainMap chains = chain({{{1, 2}, {0, 1}}, {{2, 1}, {1, 1}}}, {8, 0});
  const EqualizeOptions options{.use_threshold = false, .append_bias = true};
  EXPECT_EQ(balance_of(chains, options).scales[0], (std::vector<double>{1, 1}));
}

TEST(BiasDivisor, GrowsWithTheShareOfTheBias) {
  EXPECT_EQ(bias_divisor(1, 1, {1, 2, 3}), 2);
  EXPECT_EQ(bias_divisor(1, 1, {101, 101, 1}), 5);  // median above 100
  EXPECT_EQ(bias_divisor(1, 1, {0, 0, 6000}), 5);   // mean above 1000
  EXPECT_EQ(bias_divisor(11, 1, {1, 2, 3}), 5);     // bias of 10 and more
  EXPECT_EQ(bias_divisor(9, 0.45, {1, 2, 3}), 5);   // 20 times the weights
  EXPECT_EQ(bias_divisor(11, 1, {16, 16, 1}), 10);
  EXPECT_EQ(bias_divisor(11, 1, {1, 1, 400}), 10);  // mean above 100
  EXPECT_EQ(bias_divisor(11, 1, {31, 31, 1}), 20);
  EXPECT_EQ(bias_divisor(11, 1, {1, 1, 2000}), 20);  // mean above 500
  EXPECT_EQ(bias_divisor(11, 1, {15, 17}), 10);      // an even median is the mean of two
}

}  // namespace
}  // namespace quantsearch::equalizing
