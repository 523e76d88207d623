#include "calibrate/bin_counts.h"

#include <gtest/gtest.h>

#include "calibrate/made_statistics.h"

namespace quantsearch {
namespace {

using testing::normal_values;
using testing::statistics_of;

/// Counts one value after another in the bins of the final width.
Histogram slow_histogram(const std::vector<float>& values, int bins) {
  float largest = 0;
  for (const float value : values) largest = std::max(largest, std::abs(value));
  Histogram histogram;
  histogram.exponent = -126;
  while (std::ldexp(static_cast<double>(bins), histogram.exponent) <= static_cast<double>(largest))
    ++histogram.exponent;
  histogram.negative.resize(static_cast<std::size_t>(bins));
  histogram.positive.resize(static_cast<std::size_t>(bins));
  for (const float value : values) {
    const auto bin =
        static_cast<std::size_t>(std::abs(static_cast<double>(value)) / histogram.bin_width());
    ++(value < 0 ? histogram.negative : histogram.positive)[bin];
    if (value == 0) ++histogram.zeros;
  }
  return histogram;
}

TEST(BinCounts, PutValuesIntoTheirBins) {
  const Histogram histogram = statistics_of({0, 0.5F, 1, 15.5F, -1, -0.0F}, 16).histogram;
  EXPECT_EQ(histogram.exponent, 0);
  EXPECT_EQ(histogram.zeros, 2U);
  EXPECT_EQ(histogram.positive[0], 3U);  // two zeros and 0.5
  EXPECT_EQ(histogram.positive[1], 1U);
  EXPECT_EQ(histogram.positive[15], 1U);
  EXPECT_EQ(histogram.negative[1], 1U);
  EXPECT_EQ(histogram.negative[0], 0U);
  EXPECT_EQ(histogram.count(), 6U);
}

TEST(BinCounts, APowerOfTwoStartsTheUpperHalf) {
  const Histogram histogram = statistics_of({1}, 16).histogram;
  EXPECT_EQ(histogram.exponent, -3);
  EXPECT_EQ(histogram.positive[8], 1U);
}

TEST(BinCounts, EqualTheSimpleVersionForEveryShareOfZerosAndSize) {
  for (const std::size_t size : {1U, 17U, 1000U, 1025U, 5000U, 300000U}) {
    for (const bool with_zeros : {false, true}) {
      auto values = normal_values(size, size);
      if (with_zeros) values = testing::after_relu(values);
      EXPECT_EQ(statistics_of(values).histogram, slow_histogram(values, 2048))
          << size << with_zeros;
    }
  }
}

TEST(BinCounts, CountersNeverOverflow) {
  // There are only two values, so that single counters take everything; a few zeros are too few for
  // the path that skips zeros.
  std::vector<float> values(600000, 1.5F);
  for (std::size_t at = 0; at < values.size(); at += 100) values[at] = at % 200 == 0 ? 0.0F : -1.5F;
  EXPECT_EQ(statistics_of(values).histogram, slow_histogram(values, 2048));
}

TEST(BinCounts, HoldHugeAndTinyValues) {
  for (const float scale : {1e38F, 1e-30F, 1e-40F}) {
    auto values = normal_values(3000, 5);
    for (float& value : values) value = std::clamp(value, -3.0F, 3.0F) * scale;
    EXPECT_EQ(statistics_of(values).histogram, slow_histogram(values, 2048)) << scale;
  }
}

TEST(BinCounts, AreTheSameForAnyOrderOfValues) {
  const auto small = normal_values(5000, 1);
  const auto large = normal_values(5000, 2, 1000);
  std::vector<float> one_way = small, other_way = large;
  one_way.insert(one_way.end(), large.begin(), large.end());
  other_way.insert(other_way.end(), small.begin(), small.end());
  EXPECT_EQ(statistics_of(one_way).histogram, statistics_of(other_way).histogram);
  EXPECT_EQ(statistics_of(one_way).histogram, slow_histogram(one_way, 2048));
}

}  // namespace
}  // namespace quantsearch
