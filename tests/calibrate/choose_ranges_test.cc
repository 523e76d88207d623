#include <gtest/gtest.h>

#include <numeric>

#include "calibrate/made_statistics.h"
#include "calibrate/range_methods.h"
#include "quantsearch/base/error.h"

namespace quantsearch {
namespace {

using testing::normal_values;
using testing::statistics_of;

constexpr RangeMethod kMethods[] = {RangeMethod::min_max,
                                    RangeMethod::percentile,
                                    RangeMethod::entropy,
                                    RangeMethod::layer_wise_percentile,
                                    RangeMethod::min_mse,
                                    RangeMethod::power_of_two_non_overflow,
                                    RangeMethod::power_of_two_min_mse};

TensorStatistics three_samples() {
  TensorObserver observer;
  observer.add(0, Tensor::of<float>({2}, std::vector<float>{-1, 2}));
  observer.add(1, Tensor::of<float>({2}, std::vector<float>{-2, 4}));
  observer.add(2, Tensor::of<float>({2}, std::vector<float>{0, 1}));
  return observer.statistics();
}

TEST(MinMax, IsTheExtremesOrTheirSymmetricHull) {
  EXPECT_EQ(choose_range(three_samples(), {}), (Range{-2, 4}));
  EXPECT_EQ(choose_range(three_samples(), {.symmetric_range = true}), (Range{-4, 4}));
}

TEST(MinMax, MovingAverageStartsAtTheFirstSample) {
  // -1, then -1 + 0.5 (-2 + 1) = -1.5, then -0.75; 2, 3, 2.
  EXPECT_EQ(choose_range(three_samples(), {.moving_average = true, .moving_average_constant = 0.5}),
            (Range{-0.75, 2}));
  EXPECT_EQ(choose_range(three_samples(), {.moving_average = true, .moving_average_constant = 1}),
            (Range{0, 1}));
}

TEST(NonOverflow, IsTheMinMaxRangeBecauseTheScaleIsRoundedUp) {
  const RangeOptions options{.method = RangeMethod::power_of_two_non_overflow};
  EXPECT_EQ(choose_range(three_samples(), options), (Range{-4, 4}));
  EXPECT_EQ(
      choose_range(three_samples(), {.method = options.method, .symmetric_quantization = false}),
      (Range{-2, 4}));
}

/// The threshold with the least KL, computed from the definition for every threshold. `counts` is a
/// histogram of magnitudes without exact zeros whose last bin is not empty.
std::size_t slow_entropy_bins(const std::vector<double>& counts, std::size_t levels) {
  const double smoothed = 1e-5;
  const double total = std::accumulate(counts.begin(), counts.end(), 0.0);
  std::size_t best = 0;
  double least = 1e300;
  for (std::size_t bins = counts.size(); bins >= levels; --bins) {
    std::vector<double> q(counts.size(), 0);
    for (std::size_t level = 0; level < levels; ++level) {
      const std::size_t begin = level * bins / levels, end = (level + 1) * bins / levels;
      double held = 0, filled = 0;
      for (std::size_t bin = begin; bin < end; ++bin) {
        held += counts[bin];
        filled += counts[bin] > 0 ? 1 : 0;
      }
      for (std::size_t bin = bins; bin < counts.size() && level + 1 == levels; ++bin) {
        held += counts[bin];
      }
      for (std::size_t bin = begin; bin < end; ++bin) {
        q[bin] = counts[bin] > 0 ? held / filled / total : 0;
      }
    }
    double divergence = 0;
    for (std::size_t bin = 0; bin < counts.size(); ++bin) {
      const double p = counts[bin] / total;
      const double share = (1 - smoothed) * q[bin] + smoothed / static_cast<double>(counts.size());
      if (p > 0) divergence += p * std::log(p / share);
    }
    if (divergence < least - 1e-12) {
      least = divergence;
      best = bins;
    }
  }
  return best;
}

TEST(Entropy, AgreesWithItsDefinition) {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    auto values = normal_values(3000, seed);
    if (seed == 3) {
      for (float& value : values) value = value * std::abs(value) * value;
    }
    const TensorStatistics statistics = statistics_of(values, 256);
    std::vector<double> counts;
    for (std::size_t bin = 0; bin < 256; ++bin) {
      counts.push_back(static_cast<double>(statistics.histogram.positive[bin] +
                                           statistics.histogram.negative[bin]));
    }
    while (counts.back() == 0) counts.pop_back();
    const double threshold =
        static_cast<double>(slow_entropy_bins(counts, 16)) * statistics.histogram.bin_width();
    const Range range =
        choose_range(statistics, {.method = RangeMethod::entropy, .quantized_bins = 16});
    EXPECT_EQ(range.high, std::min(threshold, static_cast<double>(statistics.max))) << seed;
  }
}

TEST(Entropy, KeepsASecondClusterFarFromTheFirst) {
  // One value in a hundred is 6, as after a Clip. It is not an outlier that may be clipped to the
  // others.
  auto values = testing::after_relu(normal_values(20000, 5));
  values.insert(values.end(), 200, 6.0F);
  EXPECT_EQ(choose_range(statistics_of(values), {.method = RangeMethod::entropy}), (Range{0, 6}));
}

TEST(Entropy, ClipsASingleFarValueOnlyWhenLevelsAreFew) {
  auto values = normal_values(200000, 7);
  values.push_back(60);
  const TensorStatistics statistics = statistics_of(values);
  EXPECT_LT(choose_range(statistics, {.method = RangeMethod::entropy}).high, 10);
  EXPECT_EQ(
      choose_range(statistics, {.method = RangeMethod::entropy, .type = DataType::int16}).high, 60);
}

TEST(Entropy, IgnoresZeros) {
  auto values = testing::after_relu(normal_values(20000, 4));
  const RangeOptions options{.method = RangeMethod::entropy};
  const Range range = choose_range(statistics_of(values), options);
  values.insert(values.end(), 100000, 0.0F);
  EXPECT_EQ(choose_range(statistics_of(values), options), range);
}

TEST(ChooseRange, EveryMethodGivesAFiniteRangeForDegenerateTensors) {
  for (const RangeMethod method : kMethods) {
    for (const auto& values : {std::vector<float>{0},
                               {0, 0, 0},
                               {5, 5},
                               {-5},
                               {1e-40F, 2e-40F},
                               {3e38F, -3e38F},
                               {0, 1},
                               {-1, 0},
                               normal_values(3000, 6)}) {
      for (const bool symmetric : {true, false}) {
        const RangeOptions options{.method = method,
                                   .type = symmetric ? DataType::int8 : DataType::uint8,
                                   .symmetric_quantization = symmetric};
        const Range range = choose_range(statistics_of(values), options);
        EXPECT_LE(range.low, range.high) << to_string(method);
        EXPECT_TRUE(std::isfinite(range.low) && std::isfinite(range.high)) << to_string(method);
      }
    }
  }
}

TEST(ChooseRanges, GivesEveryTensorWithValuesTheSameRangeForAnyThreads) {
  Statistics statistics;
  for (int tensor = 0; tensor < 20; ++tensor) {
    statistics.tensors["t" + std::to_string(tensor)] =
        statistics_of(normal_values(500, static_cast<std::uint64_t>(tensor)));
  }
  statistics.tensors["empty"] = TensorObserver().statistics();
  ThreadPool one(1), three(3);
  for (const RangeMethod method : kMethods) {
    const Ranges ranges = choose_ranges(statistics, {.method = method}, one);
    EXPECT_EQ(ranges.size(), 20U);
    EXPECT_EQ(choose_ranges(statistics, {.method = method}, three), ranges);
  }
}

void expect_refused(const RangeOptions& options, const std::string& message) {
  try {
    (void)choose_range(three_samples(), options);
    FAIL() << message;
  } catch (const InvalidInput& error) {
    EXPECT_EQ(error.what(), message);
  }
}

TEST(ChooseRanges, ATensorOfAnotherTypeHasTheRangeForThatType) {
  Statistics statistics;
  statistics.tensors["a"] = statistics_of(normal_values(4000, 1));
  statistics.tensors["b"] = statistics_of(normal_values(4000, 2));
  for (const RangeMethod method : kMethods) {
    RangeOptions options{.method = method};
    const Ranges plain = choose_ranges(statistics, options, *std::make_unique<ThreadPool>(1));
    options.tensors["a"] = {.type = DataType::int16,
                            .symmetric_quantization = {},
                            .reduce_range = {},
                            .statistics_of = ""};
    options.tensors["moved"] = {.type = DataType::int16,
                                .symmetric_quantization = {},
                                .reduce_range = {},
                                .statistics_of = "b"};
    options.tensors["unknown"] = {};
    const Ranges ranges = choose_ranges(statistics, options, *std::make_unique<ThreadPool>(2));
    RangeOptions wide{.method = method};
    wide.type = DataType::int16;
    EXPECT_EQ(ranges.at("a"), choose_range(statistics.tensors.at("a"), wide));
    EXPECT_EQ(ranges.at("moved"), choose_range(statistics.tensors.at("b"), wide));
    EXPECT_EQ(ranges.at("b"), plain.at("b"));
    EXPECT_FALSE(ranges.contains("unknown"));
  }
}

TEST(ChooseRange, RefusesOptionsOutOfBounds) {
  expect_refused({.method = RangeMethod::percentile, .percentile = 0},
                 "choose ranges: percentile is 0, expected above 0 and at most 100");
  expect_refused({.method = RangeMethod::layer_wise_percentile, .percentile_candidates = {101}},
                 "choose ranges: percentile is 101, expected above 0 and at most 100");
  expect_refused({.moving_average = true, .moving_average_constant = 2},
                 "choose ranges: moving-average constant is 2, expected above 0 and at most 1");
  expect_refused({.method = RangeMethod::entropy, .quantized_bins = 1},
                 "choose ranges: quantized bins is 1, expected at least 2");
  expect_refused(
      {.method = RangeMethod::entropy, .quantized_bins = 4096},
      "choose ranges: quantized bins is 4096, expected at most the 2048 bins of the histogram");
  expect_refused({.method = RangeMethod::min_mse, .type = DataType::int4},
                 "choose ranges: method CalibrationMethod.MinMSE for type int4, expected int8, "
                 "uint8, int16 or uint16");
}

}  // namespace
}  // namespace quantsearch
