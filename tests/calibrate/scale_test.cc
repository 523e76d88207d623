#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "quantsearch/base/error.h"
#include "quantsearch/calibrate.h"

namespace quantsearch {
namespace {

TEST(IntegerLimits, AreThoseOfTheTable) {
  EXPECT_EQ(integer_limits(DataType::int8, true), (IntegerLimits{-127, 127}));
  EXPECT_EQ(integer_limits(DataType::int8, false), (IntegerLimits{-128, 127}));
  EXPECT_EQ(integer_limits(DataType::int8, true, true), (IntegerLimits{-64, 64}));
  EXPECT_EQ(integer_limits(DataType::uint8, true), (IntegerLimits{0, 255}));
  EXPECT_EQ(integer_limits(DataType::uint8, false, true), (IntegerLimits{0, 127}));
  EXPECT_EQ(integer_limits(DataType::int16, true), (IntegerLimits{-32767, 32767}));
  EXPECT_EQ(integer_limits(DataType::int16, false, true), (IntegerLimits{-16384, 16384}));
  EXPECT_EQ(integer_limits(DataType::uint16, true), (IntegerLimits{0, 65535}));
  EXPECT_EQ(integer_limits(DataType::uint16, true, true), (IntegerLimits{0, 32767}));
  EXPECT_EQ(integer_limits(DataType::int4, true), (IntegerLimits{-8, 7}));
  EXPECT_EQ(integer_limits(DataType::uint4, false, true), (IntegerLimits{0, 7}));
  EXPECT_EQ(integer_limits(DataType::int32, true), (IntegerLimits{-2147483647, 2147483647}));
  EXPECT_EQ(integer_limits(DataType::int32, false), (IntegerLimits{-2147483648LL, 2147483647}));
  EXPECT_THROW((void)integer_limits(DataType::float32, true), Unsupported);
}

TEST(ScaleFor, GivesHandComputedValues) {
  EXPECT_EQ(scale_for({-1, 2}, DataType::int8, true),
            (ScaleZeroPoint{static_cast<float>(2.0 / 127), 0}));
  EXPECT_EQ(scale_for({-1, 2}, DataType::uint8, false),
            (ScaleZeroPoint{static_cast<float>(3.0 / 255), 85}));
  EXPECT_EQ(scale_for({-1, 2}, DataType::int8, false),
            (ScaleZeroPoint{static_cast<float>(3.0 / 255), -43}));
  // 127.5 is rounded to even.
  EXPECT_EQ(scale_for({-1, 1}, DataType::uint8, false).zero_point, 128);
}

TEST(ScaleFor, KeepsZeroInside) {
  EXPECT_EQ(scale_for({1, 2}, DataType::uint8, false),
            (ScaleZeroPoint{static_cast<float>(2.0 / 255), 0}));
  EXPECT_EQ(scale_for({-2, -1}, DataType::uint8, false),
            (ScaleZeroPoint{static_cast<float>(2.0 / 255), 255}));
  EXPECT_EQ(scale_for({0, 2}, DataType::int8, false).zero_point, -128);
}

TEST(ScaleFor, SymmetricUnsignedHasItsZeroPointInTheMiddle) {
  for (const double high : {1.0, 0.3, 7.7, 1e-5}) {
    EXPECT_EQ(scale_for({-0.1, high}, DataType::uint8, true).zero_point, 128);
    EXPECT_EQ(scale_for({-0.1, high}, DataType::uint16, true).zero_point, 32768);
  }
  EXPECT_EQ(scale_for({0, 1}, DataType::uint8, true).scale, static_cast<float>(2.0 / 255));
}

TEST(ScaleFor, DegenerateRangesGiveScaleOne) {
  EXPECT_EQ(scale_for({0, 0}, DataType::int8, true), (ScaleZeroPoint{1, 0}));
  EXPECT_EQ(scale_for({-1e-40, 1e-40}, DataType::uint8, false), (ScaleZeroPoint{1, 0}));
  EXPECT_THROW((void)scale_for({0, std::nan("")}, DataType::int8, true), InvalidInput);
}

TEST(ScaleFor, HugeRangesStayFinite) {
  const double largest = std::numeric_limits<float>::max();
  EXPECT_TRUE(std::isfinite(scale_for({-largest, largest}, DataType::uint8, false).scale));
  EXPECT_TRUE(std::isfinite(
      scale_for({-largest, largest}, DataType::int8, true, false, PowerOfTwoRounding::up).scale));
}

TEST(ScaleFor, RoundsToPowersOfTwo) {
  const auto rounded = [](double scale, PowerOfTwoRounding rounding) {
    return scale_for({-127 * scale, 127 * scale}, DataType::int8, true, false, rounding).scale;
  };
  EXPECT_EQ(rounded(0.25, PowerOfTwoRounding::up), 0.25F);
  EXPECT_EQ(rounded(0.26, PowerOfTwoRounding::up), 0.5F);
  EXPECT_EQ(rounded(0.26, PowerOfTwoRounding::nearest), 0.25F);
  EXPECT_EQ(rounded(0.37, PowerOfTwoRounding::nearest), 0.5F);
  EXPECT_EQ(rounded(0.35, PowerOfTwoRounding::nearest), 0.25F);
}

TEST(ScaleFor, RoundingUpNeverClips) {
  for (double high = 0.01; high < 100; high *= 1.07) {
    const ScaleZeroPoint params =
        scale_for({-high, high}, DataType::int8, true, false, PowerOfTwoRounding::up);
    EXPECT_GE(127 * static_cast<double>(params.scale), high);
    EXPECT_LT(127 * static_cast<double>(params.scale), 2 * high + 1e-9);
  }
}

TEST(ScaleAsRatio, IsTheNearestSixteenBitRatio) {
  const auto ratio_of = [](double scale) {
    return scale_for({-127 * scale, 127 * scale}, DataType::int8, true, false,
                     PowerOfTwoRounding::int16_ratio)
        .scale;
  };
  EXPECT_EQ(ratio_of(0.01), 20972.0F / 2097152.0F);
  EXPECT_EQ(ratio_of(1), 1);
  EXPECT_EQ(ratio_of(32767), 32767);
  // A value half a step below a power of two rounds up to it.
  EXPECT_EQ(ratio_of(1 - 1e-6), 1);
}

TEST(ScaleAsRatio, SmallScalesKeepTheirPrecision) {
  for (double scale = 30000; scale > 1e-36; scale *= 0.37) {
    const float ratio = scale_for({-127 * scale, 127 * scale}, DataType::int8, true, false,
                                  PowerOfTwoRounding::int16_ratio)
                            .scale;
    EXPECT_NEAR(static_cast<double>(ratio) / scale, 1, std::exp2(-15)) << scale;
  }
}

TEST(ScaleAsRatio, TheZeroPointFollowsFromTheUnroundedScale) {
  EXPECT_EQ(scale_for({-1, 1.55}, DataType::uint8, false, false, PowerOfTwoRounding::int16_ratio)
                .zero_point,
            100);
}

TEST(ScaleAsRatio, RefusesScalesBeyondSixteenBits) {
  EXPECT_THROW(
      (void)scale_for({-1e7, 1e7}, DataType::int8, true, false, PowerOfTwoRounding::int16_ratio),
      Unsupported);
}

}  // namespace
}  // namespace quantsearch
