#include <gtest/gtest.h>

#include <limits>

#include "calibrate/made_statistics.h"
#include "calibrate/range_methods.h"

namespace quantsearch {
namespace {

using testing::errors_of;
using testing::normal_values;
using testing::statistics_of;

RangeOptions options_for(DataType type, bool symmetric) {
  return {.method = RangeMethod::min_mse, .type = type, .symmetric_quantization = symmetric};
}

double measured(const std::vector<float>& values, const Range& range, const RangeOptions& options,
                PowerOfTwoRounding rounding = PowerOfTwoRounding::none) {
  return errors_of(values,
                   scale_for(range, options.type, options.symmetric_quantization, false, rounding),
                   integer_limits(options.type, options.symmetric_quantization))
      .squared;
}

/// The least error over every shrinkage of both ends in small steps, computed on the values
/// themselves.
double least_error_by_force(const std::vector<float>& values, const TensorStatistics& statistics,
                            const RangeOptions& options) {
  double least = std::numeric_limits<double>::infinity();
  for (double low = 1; low > 0.02; low *= 0.93) {
    for (double high = 1; high > 0.02; high *= 0.93) {
      const bool same = options.symmetric_quantization || statistics.min >= 0;
      if (same && low != 1) continue;
      least = std::min(
          least,
          measured(values, {statistics.min * (same ? high : low), statistics.max * high}, options));
    }
  }
  return least;
}

TEST(MinMse, IsAsGoodAsAnExhaustiveSearch) {
  auto heavy = normal_values(4000, 12);
  for (float& value : heavy) value = value * value * value;
  for (const auto& values :
       {normal_values(4000, 10), testing::after_relu(normal_values(4000, 11)), heavy}) {
    const TensorStatistics statistics = statistics_of(values);
    for (const RangeOptions& options :
         {options_for(DataType::int8, true), options_for(DataType::uint8, false)}) {
      const double error = measured(values, min_mse_range(statistics, options), options);
      EXPECT_LE(error, 1.03 * least_error_by_force(values, statistics, options));
      EXPECT_LE(error, measured(values, {statistics.min, statistics.max}, options) * 1.0001);
    }
  }
}

TEST(MinMse, AfterReluStartsAtZero) {
  const auto values = testing::after_relu(normal_values(50000, 13));
  const RangeOptions options = options_for(DataType::uint8, false);
  const Range range = min_mse_range(statistics_of(values), options);
  EXPECT_EQ(range.low, 0);
  EXPECT_EQ(scale_for(range, DataType::uint8, false).zero_point, 0);
  EXPECT_GT(range.high, 2.5);
}

TEST(MinMse, SixteenBitsHardlyClip) {
  const auto values = normal_values(50000, 14);
  const TensorStatistics statistics = statistics_of(values);
  const Range range = min_mse_range(statistics, options_for(DataType::int16, true));
  EXPECT_GT(std::max(-range.low, range.high),
            0.98 * static_cast<double>(std::max(-statistics.min, statistics.max)));
}

TEST(MinMse, DegenerateTensorsKeepTheirRange) {
  for (const RangeOptions& options :
       {options_for(DataType::int8, true), options_for(DataType::uint8, false)}) {
    EXPECT_EQ(min_mse_range(statistics_of({0, 0, 0}), options), (Range{0, 0}));
    EXPECT_NEAR(min_mse_range(statistics_of({5, 5}), options).high, 5, 1e-6);
    EXPECT_NEAR(min_mse_range(statistics_of({-5}), options).low, -5, 1e-6);
    EXPECT_TRUE(std::isfinite(min_mse_range(statistics_of({3e38F, -3e38F, 1}), options).high));
    EXPECT_TRUE(std::isfinite(min_mse_range(statistics_of({1e-40F, -1e-40F}), options).high));
  }
}

TEST(PowerOfTwoMinMse, TakesTheBestOfTheFiveCandidates) {
  for (const auto& values : {normal_values(20000, 20), normal_values(20000, 21, 37),
                             testing::after_relu(normal_values(20000, 22))}) {
    const TensorStatistics statistics = statistics_of(values);
    const RangeOptions options = options_for(DataType::int8, true);
    const float start = scale_for({statistics.min, statistics.max}, DataType::int8, true, false,
                                  PowerOfTwoRounding::nearest)
                            .scale;
    double least = std::numeric_limits<double>::infinity();
    float best = 0;
    for (const float factor : {2.0F, 1.0F, 0.5F, 0.25F, 0.125F}) {
      const double error =
          errors_of(values, {start * factor, 0}, integer_limits(DataType::int8, true)).squared;
      if (error < least) {
        least = error;
        best = start * factor;
      }
    }
    const Range range = power_of_two_min_mse_range(statistics, options);
    EXPECT_EQ(range,
              (Range{-127.0 * static_cast<double>(best), 127.0 * static_cast<double>(best)}));
  }
}

TEST(PowerOfTwoMinMse, RangesGiveTheSameScaleForEveryRounding) {
  for (const DataType type : {DataType::int8, DataType::uint8, DataType::int16, DataType::uint16}) {
    for (const bool symmetric : {true, false}) {
      const Range range = power_of_two_min_mse_range(statistics_of(normal_values(5000, 23, 5)),
                                                     options_for(type, symmetric));
      const ScaleZeroPoint plain = scale_for(range, type, symmetric);
      EXPECT_EQ(std::exp2(std::round(std::log2(plain.scale))), plain.scale)
          << to_string(type) << symmetric;
      EXPECT_EQ(scale_for(range, type, symmetric, false, PowerOfTwoRounding::nearest), plain);
      EXPECT_EQ(scale_for(range, type, symmetric, false, PowerOfTwoRounding::up), plain);
    }
  }
}

TEST(PowerOfTwoMinMse, AsymmetricAfterReluStartsAtZeroAndBeatsSymmetric) {
  const auto values = testing::after_relu(normal_values(20000, 24));
  const TensorStatistics statistics = statistics_of(values);
  const RangeOptions asymmetric = options_for(DataType::uint8, false);
  const RangeOptions symmetric = options_for(DataType::int8, true);
  const Range range = power_of_two_min_mse_range(statistics, asymmetric);
  EXPECT_EQ(range.low, 0);
  EXPECT_LT(measured(values, range, asymmetric),
            measured(values, power_of_two_min_mse_range(statistics, symmetric), symmetric));
}

TEST(PowerOfTwoMinMse, OfZerosIsAnEmptyRange) {
  EXPECT_EQ(power_of_two_min_mse_range(statistics_of({0}), options_for(DataType::int8, true)),
            Range{});
}

}  // namespace
}  // namespace quantsearch
