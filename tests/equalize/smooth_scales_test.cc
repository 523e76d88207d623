#include "equalize/smooth_scales.h"

#include <gtest/gtest.h>

#include <cmath>

#include "equalize/equivalence.h"
#include "support/model_builder.h"

namespace quantsearch::equalizing {
namespace {

using quantsearch::testing::kTiny;

LinearLayer matrix(const Shape& shape, const std::vector<float>& values) {
  testing::ModelBuilder builder;
  builder.input("x", {1, shape[0]});
  builder.output(builder.node("MatMul", {"x", builder.weight("w", shape, values)}));
  const Model model = builder.build_unchecked();
  return *linear_layer(model.graph, GraphIndex(model.graph), 0);
}

ChannelRanges symmetric(const std::vector<double>& largest) {
  ChannelRanges ranges;
  for (const double value : largest) {
    ranges.low.push_back(-value);
    ranges.high.push_back(value);
    ranges.mean_square.push_back(value * value / 4);
  }
  return ranges;
}

TEST(SmoothScales, FollowTheFormula) {
  // max |X| = 16, 1 and max |W| = 4, 1/4. With alpha 1/2: sqrt(16) / sqrt(4) = 2, 1 / (1/2) = 2.
  const LinearLayer layer = matrix({2, 2}, {4, -1, 0.25F, 0.125F});
  const std::vector<SmoothReader> readers = {smooth_reader(0, layer, {})};
  const auto half = smooth_choice({symmetric({16, 1})}, readers, {.alpha = 0.5});
  ASSERT_TRUE(half);
  EXPECT_NEAR(half->scales[0], 2, kTiny);
  EXPECT_NEAR(half->scales[1], 2, kTiny);
  const auto all = smooth_choice({symmetric({16, 1})}, readers, {.alpha = 1});
  EXPECT_NEAR(all->scales[0], 16, kTiny);
  EXPECT_NEAR(all->scales[1], 1, kTiny);
  const auto none = smooth_choice({symmetric({16, 1})}, readers, {.alpha = 0});
  EXPECT_NEAR(none->scales[0], 0.25, kTiny);
  EXPECT_NEAR(none->scales[1], 4, kTiny);
}

TEST(SmoothScales, ReadersShareTheLargestWeight) {
  const LinearLayer first = matrix({2, 1}, {1, 1});
  const LinearLayer second = matrix({2, 1}, {-9, 0.5F});
  const auto choice =
      smooth_choice({symmetric({1, 4})},
                    {smooth_reader(0, first, {}), smooth_reader(0, second, {})}, {.alpha = 0.5});
  EXPECT_NEAR(choice->scales[0], 1.0 / 3, kTiny);
  EXPECT_NEAR(choice->scales[1], 2, kTiny);
}

TEST(SmoothScales, DeadChannelsKeepTheirScale) {
  const LinearLayer layer = matrix({3, 1}, {1, 0, 1});
  const auto choice =
      smooth_choice({symmetric({0, 5, 4})}, {smooth_reader(0, layer, {})}, {.alpha = 0.5});
  EXPECT_EQ(choice->scales[0], 1);
  EXPECT_EQ(choice->scales[1], 1);
  EXPECT_NEAR(choice->scales[2], 2, kTiny);
  EXPECT_FALSE(
      smooth_choice({symmetric({0, 5, 0})}, {smooth_reader(0, layer, {})}, {.alpha = 0.5}));
}

TEST(SmoothScales, StayWithinTheirBounds) {
  const LinearLayer layer = matrix({2, 1}, {1e-20F, 1e20F});
  const auto choice =
      smooth_choice({symmetric({1e20, 1e-20})}, {smooth_reader(0, layer, {})}, {.alpha = 0.5});
  EXPECT_NEAR(choice->scales[0], 4096, 1e-2);
  EXPECT_NEAR(choice->scales[1], 1.0 / 4096, 1e-12);
}

TEST(ExpectedError, FollowsTheFormula) {
  // x in [-2, 2] and [-1, 3], E[x^2] = 1 and 2; W = [[1, 2], [3, 4]].
  const LinearLayer layer = matrix({2, 2}, {1, 2, 3, 4});
  const ChannelRanges ranges{.low = {-2, -1}, .high = {2, 3}, .mean_square = {1, 2}};
  const std::vector<SmoothReader> readers = {smooth_reader(0, layer, {})};
  const double step = 5.0 / 255;  // the range is -2 to 3
  const double activations = step * step * 30;
  const double tensor = std::pow(4.0 / 127, 2) * 2 * (1 + 2);
  EXPECT_NEAR(expected_error({ranges}, readers, {1, 1}, false), (activations + tensor) / 12, 1e-15);
  const double channels = (std::pow(3.0 / 127, 2) + std::pow(4.0 / 127, 2)) * (1 + 2);
  EXPECT_NEAR(expected_error({ranges}, readers, {1, 1}, true), (activations + channels) / 12,
              1e-15);
  // With the first channel halved, x is in [-1, 1] and [-1, 3], and the weights are [[2, 4], [3,
  // 4]].
  const double halved =
      std::pow(4.0 / 255, 2) * (4 + 16 + 9 + 16) + std::pow(4.0 / 127, 2) * 2 * (0.25 + 2);
  EXPECT_NEAR(expected_error({ranges}, readers, {2, 1}, false), halved / 12, 1e-15);
}

TEST(ExpectedError, UsesTheScaledWeights) {
  const LinearLayer layer = matrix({2, 2}, {1, 2, 3, 4});
  const LinearLayer scaled = matrix({2, 2}, {2, 1, 6, 2});
  const std::vector<ChannelRanges> ranges = {symmetric({1, 7})};
  for (const bool per_channel : {false, true}) {
    EXPECT_NEAR(expected_error(ranges, {smooth_reader(0, layer, {2, 0.5})}, {1, 3}, per_channel),
                expected_error(ranges, {smooth_reader(0, scaled, {})}, {1, 3}, per_channel), 1e-15);
  }
}

// Compares with the simple version, which tries every alpha and computes the error from every
// weight.
TEST(SmoothScales, AutoTakesTheAlphaOfLeastExpectedError) {
  const Tensor weights = testing::random_tensor({6, 5}, 3);
  const LinearLayer layer =
      matrix({6, 5}, {weights.values<float>().begin(), weights.values<float>().end()});
  const std::vector<SmoothReader> readers = {smooth_reader(0, layer, {})};
  const std::vector<ChannelRanges> ranges = {symmetric({0.1, 20, 0.3, 1, 0.2, 8})};
  for (const bool per_channel : {false, true}) {
    const auto chosen =
        smooth_choice(ranges, readers, {.alpha = std::nullopt, .per_channel_weights = per_channel});
    ASSERT_TRUE(chosen);
    const double plain = expected_error(ranges, readers, std::vector<double>(6, 1.0), per_channel);
    const double least = expected_error(ranges, readers, chosen->scales, per_channel);
    EXPECT_LT(least, plain / 2);
    EXPECT_NEAR(chosen->share, least / plain, 1e-12);
    for (double alpha = 0; alpha <= 1; alpha += 0.05) {
      const auto fixed = smooth_choice(ranges, readers, {.alpha = alpha});
      EXPECT_GE(expected_error(ranges, readers, fixed->scales, per_channel), least * (1 - 1e-9))
          << alpha;
    }
  }
}

TEST(SmoothScales, AutoLeavesChannelsOfEqualSizeUnchanged) {
  const LinearLayer layer = matrix({2, 2}, {1, 1, 1, 1});
  EXPECT_FALSE(
      smooth_choice({symmetric({1, 1})}, {smooth_reader(0, layer, {})}, {.alpha = std::nullopt}));
}

TEST(ChannelRangesOf, NeedTheChannelsOnTheContractedAxis) {
  Statistics statistics;
  TensorStatistics& tensor = statistics.tensors["x"];
  tensor.channel_min = {1, -2};
  tensor.channel_max = {3, -1};
  tensor.channel_mean_square = {4, 5};
  SmoothInput input{
      .tensor = "x", .at = {.axis = 1, .rank = 3}, .channels = 2, .layers = {}, .source = {}};
  const auto ranges = channel_ranges(statistics, input);
  ASSERT_TRUE(ranges);
  EXPECT_EQ(ranges->low, (std::vector<double>{0, -2}));
  EXPECT_EQ(ranges->high, (std::vector<double>{3, 0}));
  tensor.channels_last = true;
  EXPECT_FALSE(channel_ranges(statistics, input));
  input.at = {.axis = 2, .rank = 3};
  EXPECT_TRUE(channel_ranges(statistics, input));
  input.at = {.axis = -1, .rank = 0};
  EXPECT_TRUE(channel_ranges(statistics, input));
  input.channels = 3;
  EXPECT_FALSE(channel_ranges(statistics, input));
  EXPECT_FALSE(channel_ranges({}, input));
}

}  // namespace
}  // namespace quantsearch::equalizing
