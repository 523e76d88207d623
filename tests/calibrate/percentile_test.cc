#include <gtest/gtest.h>

#include "calibrate/made_statistics.h"
#include "calibrate/range_methods.h"

namespace quantsearch {
namespace {

using testing::normal_values;
using testing::statistics_of;

std::vector<float> one_to(int count) {
  std::vector<float> values;
  for (int value = 1; value <= count; ++value) values.push_back(static_cast<float>(value));
  return values;
}

TEST(Percentile, OfAllValuesIsTheExtremes) {
  const TensorStatistics statistics = statistics_of(normal_values(5000, 1));
  for (const bool symmetric : {false, true}) {
    const Range range = percentile_range(statistics, 100, symmetric);
    EXPECT_EQ(range.high, static_cast<double>(statistics.max));
    EXPECT_EQ(range.low, static_cast<double>(statistics.min));
  }
}

TEST(Percentile, LiesInTheBinOfTheValueOfThatRank) {
  const TensorStatistics statistics = statistics_of(one_to(1000));
  EXPECT_NEAR(percentile_range(statistics, 90, true).high, 900,
              2 * statistics.histogram.bin_width());
  const Range asymmetric = percentile_range(statistics, 90, false);
  EXPECT_NEAR(asymmetric.low, 50, 2 * statistics.histogram.bin_width());
  EXPECT_NEAR(asymmetric.high, 950, 2 * statistics.histogram.bin_width());
}

TEST(Percentile, AgreesWithSorting) {
  auto values = normal_values(100000, 2, 3);
  const TensorStatistics statistics = statistics_of(values);
  std::vector<float> magnitudes = values;
  for (float& value : magnitudes) value = std::abs(value);
  std::ranges::sort(magnitudes);
  std::ranges::sort(values);
  for (const double percentile : {50.0, 99.0, 99.9, 99.99}) {
    const auto at = static_cast<std::size_t>(percentile / 100 * 100000) - 1;
    EXPECT_NEAR(percentile_range(statistics, percentile, true).high,
                static_cast<double>(magnitudes[at]), 2 * statistics.histogram.bin_width());
    const auto cut = static_cast<std::size_t>((100 - percentile) / 200 * 100000);
    EXPECT_NEAR(percentile_range(statistics, percentile, false).low,
                static_cast<double>(values[cut]), 0.05);
  }
}

TEST(Percentile, StaysWithinTheObservedValues) {
  const Range relu =
      percentile_range(statistics_of(testing::after_relu(normal_values(5000, 3))), 99.9, true);
  EXPECT_EQ(relu.low, 0);
  EXPECT_GT(relu.high, 2);
  for (const bool symmetric : {false, true}) {
    EXPECT_EQ(percentile_range(statistics_of({5, 5, 5}), 99, symmetric), (Range{5, 5}));
    EXPECT_EQ(percentile_range(statistics_of({0, 0}), 99, symmetric), (Range{0, 0}));
    const Range negative = percentile_range(statistics_of({-3, -2}), 99.9, symmetric);
    EXPECT_LE(negative.low, negative.high);
    EXPECT_GE(negative.low, -3);
  }
}

TEST(Percentile, GrowsWithItsShare) {
  const TensorStatistics statistics = statistics_of(normal_values(20000, 4));
  double last = 0;
  for (double percentile = 1; percentile <= 100; percentile += 0.5) {
    const double high = percentile_range(statistics, percentile, true).high;
    EXPECT_GE(high, last);
    last = high;
  }
}

TEST(LayerWisePercentile, KeepsEverythingWhereClippingGainsNothing) {
  std::vector<float> uniform;
  for (int value = 0; value <= 10000; ++value) uniform.push_back(static_cast<float>(value) / 10000);
  const TensorStatistics statistics = statistics_of(uniform);
  const RangeOptions options{
      .percentile_candidates = {90, 95}, .type = DataType::uint8, .symmetric_quantization = false};
  EXPECT_EQ(layer_wise_percentile_range(statistics, options, true), (Range{0, 1}));
}

TEST(LayerWisePercentile, ClipsASingleOutlier) {
  auto values = normal_values(100000, 6);
  values[17] = 1000;
  const TensorStatistics statistics = statistics_of(values);
  RangeOptions options{.percentile_candidates = {99.99, 99.999}};
  EXPECT_LT(layer_wise_percentile_range(statistics, options, true).high, 10);
  // With squared errors the outlier alone costs (1000 - 4)^2 / 100000 = 10 per value, so it is
  // kept.
  options.percentile_metric = PercentileMetric::mse;
  EXPECT_EQ(layer_wise_percentile_range(statistics, options, true).high, 1000);
}

TEST(LayerWisePercentile, TakesTheCandidateOfLeastMeasuredError) {
  const auto values = normal_values(200000, 8);
  const TensorStatistics statistics = statistics_of(values);
  const RangeOptions options{.percentile_candidates = {99, 99.9, 99.99, 99.999}};
  const IntegerLimits limits = integer_limits(DataType::int8, true);
  double best = 1e9, best_high = 0;
  for (const double percentile : {99.0, 99.9, 99.99, 99.999, 100.0}) {
    const Range range = percentile_range(statistics, percentile, true);
    const double error =
        testing::errors_of(values, scale_for(range, DataType::int8, true), limits).absolute;
    if (error < best) {
      best = error;
      best_high = range.high;
    }
  }
  EXPECT_EQ(layer_wise_percentile_range(statistics, options, true).high, best_high);
}

}  // namespace
}  // namespace quantsearch
