#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "quantize/numbers/weight_ranges.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

std::vector<float> random_values(std::int64_t count, std::uint64_t seed) {
  const Tensor tensor = testing::random_tensor({count}, seed);
  return {tensor.values<float>().begin(), tensor.values<float>().end()};
}

double slow_error(const std::vector<float>& values, const ScaleZeroPoint& params,
                  const IntegerLimits& limits) {
  double error = 0;
  for (const float value : values) {
    const double scale = static_cast<double>(params.scale);
    const double integer = std::clamp(std::nearbyint(static_cast<double>(value) / scale),
                                      static_cast<double>(limits.low - params.zero_point),
                                      static_cast<double>(limits.high - params.zero_point));
    error += std::pow(static_cast<double>(value) - integer * scale, 2);
  }
  return error;
}

TEST(SortedWeights, ErrorMatchesHandValue) {
  // With levels -2 .. 1 of step 1, 0.25 rounds to 0, 1.5 and 9 clip to 1, and -1.5 rounds to -2.
  const SortedWeights weights({9.0F, 0.25F, 1.5F, -1.5F});
  EXPECT_DOUBLE_EQ(weights.squared_error({.scale = 1, .zero_point = 0}, {.low = -2, .high = 1}),
                   64 + 0.0625 + 0.25 + 0.25);
}

TEST(SortedWeights, SumsOverRunsMatchSumsOverValues) {
  // There are many values on few levels, so that the sums over runs are used.
  const std::vector<float> values = random_values(5000, 1);
  const SortedWeights weights(values);
  for (const ScaleZeroPoint& params :
       {ScaleZeroPoint{.scale = 0.01F, .zero_point = 0}, ScaleZeroPoint{0.003F, 40},
        ScaleZeroPoint{2.0F, -3}, ScaleZeroPoint{1.0F / 128, -128}}) {
    const IntegerLimits limits{.low = -128, .high = 127};
    EXPECT_NEAR(weights.squared_error(params, limits), slow_error(values, params, limits), 1e-9);
  }
}

TEST(SortedWeights, TiesHaveTheSameErrorInBothDirections) {
  std::vector<float> values(3000, 0.5F);
  values.resize(6000, -1.5F);
  EXPECT_NEAR(SortedWeights(values).squared_error({.scale = 1, .zero_point = 0},
                                                  {.low = -128, .high = 127}),
              1500, 1e-9);
}

TEST(SortedWeights, QuantileInterpolates) {
  const SortedWeights weights({4.0F, 1.0F, 2.0F});
  EXPECT_DOUBLE_EQ(weights.quantile(0), 1);
  EXPECT_DOUBLE_EQ(weights.quantile(0.5), 2);
  EXPECT_DOUBLE_EQ(weights.quantile(0.75), 3);
  EXPECT_DOUBLE_EQ(weights.quantile(1), 4);
  EXPECT_DOUBLE_EQ(SortedWeights({7.0F}).quantile(0.3), 7);
}

TEST(SortedWeights, SortsManyValuesOfEverySignAndMagnitude) {
  std::vector<float> values = {
      0.0F, 1e-42F, -1e-42F, 3e38F, -3e38F, std::numeric_limits<float>::min(), -1.0F / 3};
  for (const float value : random_values(2000, 2)) {
    for (const float factor : {1e-30F, 1.0F, -1e20F}) values.push_back(factor * value);
  }
  std::vector<float> expected = values;
  std::ranges::sort(expected);
  const SortedWeights weights(values);
  const auto last = static_cast<double>(values.size() - 1);
  for (std::size_t at = 0; at < expected.size(); ++at)
    ASSERT_EQ(static_cast<float>(weights.quantile(static_cast<double>(at) / last)), expected[at]);
}

TEST(ChannelLayout, SplitsAroundTheAxis) {
  const ChannelLayout layout = channel_layout({2, 3, 4, 5}, 1);
  EXPECT_EQ(layout.outer, 2);
  EXPECT_EQ(layout.channels, 3);
  EXPECT_EQ(layout.inner, 20);
  EXPECT_EQ(channel_layout({}, -1).inner, 1);
}

}  // namespace
}  // namespace quantsearch
