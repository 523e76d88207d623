#include "optimizers/gp/output_warp.h"

#include <gtest/gtest.h>

#include <cmath>

namespace quantsearch::gp {
namespace {

Eigen::VectorXd heavy_tailed() {
  Eigen::VectorXd values(7);
  values << 3, 1e4, 1, 2, 150, 40, 7;
  return values;
}

TEST(Warp, GivesZeroMeanAndUnitVariance) {
  for (int level = 0; level < kWarpLevels; ++level) {
    const Warped warped = warp(heavy_tailed(), level);
    EXPECT_NEAR(warped.values.mean(), 0, 1e-12);
    EXPECT_NEAR(warped.values.squaredNorm() / 7, 1, 1e-12);
  }
}

TEST(Warp, KeepsTheOrderAtEveryLevel) {
  for (int level = 0; level < kWarpLevels; ++level) {
    const Eigen::VectorXd& at = warp(heavy_tailed(), level).values;
    EXPECT_LT(at[2], at[3]);
    EXPECT_LT(at[3], at[0]);
    EXPECT_LT(at[4], at[1]);
  }
}

TEST(Warp, ReportsItsOwnSlope) {
  for (const int level : {0, 1, 4}) {
    const Warped warped = warp(heavy_tailed(), level);
    // The two values differ so little that the warp is linear between them.
    Eigen::VectorXd values(8);
    values << heavy_tailed(), 7 + 1e-5;
    const Warped nearby = warp(values, level);
    const double slope = (nearby.values[7] - nearby.values[6]) / 1e-5;
    EXPECT_NEAR(nearby.derivatives[6] / slope, 1, 1e-4) << level;
    EXPECT_NEAR(warped.log_jacobian, warped.derivatives.array().log().sum(), 1e-12);
  }
}

TEST(Warp, OfAConstantIsZero) {
  const Warped warped = warp(Eigen::VectorXd::Constant(5, 3.25), 3);
  EXPECT_EQ(warped.values, Eigen::VectorXd::Zero(5));
}

TEST(Warp, StaysFiniteForHugeValues) {
  Eigen::VectorXd values(4);
  values << -1e308, 1, 2, 1e308;
  for (int level = 0; level < kWarpLevels; ++level) {
    EXPECT_TRUE(warp(values, level).values.allFinite());
  }
}

TEST(Standardize, ReturnsTheStandardisedZero) {
  Eigen::VectorXd values(2);
  values << 1, 5;  // mean 3, deviation 2
  const Standardized standard = standardize(values);
  EXPECT_NEAR(standard.zero, -1.5, 1e-12);
  EXPECT_NEAR(standard.values[1], 1, 1e-12);
  EXPECT_NEAR(standard.scale, 2, 1e-12);
}

}  // namespace
}  // namespace quantsearch::gp
