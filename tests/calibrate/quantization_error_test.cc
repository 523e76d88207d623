#include "calibrate/quantization_error.h"

#include <gtest/gtest.h>

#include "calibrate/made_statistics.h"

namespace quantsearch {
namespace {

using testing::errors_of;
using testing::normal_values;
using testing::statistics_of;

TEST(Density, SplitsAtAnyPosition) {
  const Density density(statistics_of({-2, -1, 0, 0, 1, 3}, 16));
  EXPECT_EQ(density.bin_width(), 0.25);
  EXPECT_EQ(density.count(), 6);
  EXPECT_EQ(density.total().count, 4);  // without the zeros
  EXPECT_EQ(density.low(), -8);
  EXPECT_EQ(density.high(), 12);
  EXPECT_EQ(density.below(-8).count, 0);
  EXPECT_EQ(density.below(0).count, 2);
  EXPECT_EQ(density.below(4.5).count, 2.5);
  EXPECT_EQ(density.below(100).count, 4);
}

TEST(Density, OfZerosAloneIsEmpty) {
  const Density density(statistics_of({0, 0}, 16));
  EXPECT_EQ(density.total().count, 0);
  EXPECT_EQ(density.below(1).count, 0);
}

TEST(QuantizationError, OfAConstantIsItsRoundingError) {
  const Density density(statistics_of(std::vector<float>(10, 5.0F)));
  const IntegerLimits limits = integer_limits(DataType::uint8, false);
  EXPECT_NEAR(mean_squared_error(density, {5.0F / 255, 0}, limits), 0, 1e-12);
  EXPECT_NEAR(mean_squared_error(density, {2.0F, 0}, limits), 1, 1e-12);      // 4 or 6
  EXPECT_NEAR(mean_absolute_error(density, {0.01F, 0}, limits), 2.45, 1e-6);  // clipped at 2.55
}

struct Setting {
  DataType type;
  bool symmetric;
};

TEST(QuantizationError, AgreesWithQuantizingEveryValue) {
  for (const bool relu : {false, true}) {
    auto values = normal_values(200000, 9, 2.5);
    if (relu) values = testing::after_relu(values);
    const TensorStatistics statistics = statistics_of(values);
    const Density density(statistics);
    for (const Setting& setting : {Setting{DataType::int8, true}, Setting{DataType::uint8, false},
                                   Setting{DataType::uint8, true}, Setting{DataType::int16, true},
                                   Setting{DataType::uint16, false}}) {
      const IntegerLimits limits = integer_limits(setting.type, setting.symmetric);
      for (const double share : {1.0, 0.7, 0.3}) {
        const ScaleZeroPoint params = scale_for({statistics.min * share, statistics.max * share},
                                                setting.type, setting.symmetric);
        const testing::Errors slow = errors_of(values, params, limits);
        EXPECT_NEAR(mean_squared_error(density, params, limits), slow.squared, 0.02 * slow.squared)
            << to_string(setting.type) << share;
        EXPECT_NEAR(mean_absolute_error(density, params, limits), slow.absolute,
                    0.02 * slow.absolute)
            << to_string(setting.type) << share;
      }
    }
  }
}

TEST(QuantizationError, ScalesWithTheValues) {
  const auto error = [](double factor) {
    const TensorStatistics statistics = statistics_of(normal_values(10000, 3, factor));
    return mean_squared_error(Density(statistics),
                              scale_for({statistics.min, statistics.max}, DataType::int8, true),
                              integer_limits(DataType::int8, true));
  };
  EXPECT_NEAR(error(1e12) / 1e24, error(1), 0.01 * error(1));
  EXPECT_NEAR(error(1e-12) * 1e24, error(1), 0.01 * error(1));
}

}  // namespace
}  // namespace quantsearch
