#include "optimizers/tpe/normal_mass.h"

#include <gtest/gtest.h>

#include <cmath>

namespace quantsearch {
namespace {

void expect_close(double value, double expected) {
  EXPECT_NEAR(value, expected, 1e-12 * std::abs(expected) + 1e-18);
}

// Computed with scipy.special.log_ndtr, SciPy 1.17.
TEST(LogNormalCdf, IsAccurateFromTailToTail) {
  expect_close(log_normal_cdf(0), std::log(0.5));
  expect_close(log_normal_cdf(1), -0.1727537790234499);
  expect_close(log_normal_cdf(-1), -1.8410216450092634);
  expect_close(log_normal_cdf(-10), -53.23128515051248);
  expect_close(log_normal_cdf(-19.999), -203.8971061167971);
  expect_close(log_normal_cdf(-20.001), -203.93720562293427);
  expect_close(log_normal_cdf(-100), -5005.524208694205);
  expect_close(log_normal_cdf(8), -6.220960574271742e-16);
}

TEST(LogNormalMass, IsSymmetric) {
  for (const double low : {-40.0, -5.0, -0.5, 0.0, 3.0, 60.0}) {
    for (const double width : {1e-9, 1e-3, 1.0, 7.0})
      EXPECT_DOUBLE_EQ(log_normal_mass(low, low + width), log_normal_mass(-low - width, -low));
  }
}

TEST(LogNormalMass, IsTheDifferenceOfTheAreas) {
  expect_close(log_normal_mass(-1, 1), std::log(std::erf(1 / std::sqrt(2.0))));
  expect_close(log_normal_mass(-1, 2),
               std::log((std::erf(1 / std::sqrt(2.0)) + std::erf(std::sqrt(2.0))) / 2));
  // ln(Phi(-30) - Phi(-31)), from the same logarithms; all but e^-30.5 of it is Phi(-30).
  expect_close(log_normal_mass(30, 31), -454.3212439563433);
  EXPECT_EQ(log_normal_mass(-60, 60), 0);
}

TEST(LogNormalMass, OfANarrowIntervalIsItsDensity) {
  // Both sides of the threshold agree up to the error of a constant density, width^2 / 24.
  for (const double at : {0.2, 3.0, 20.0}) {
    const double wide = log_normal_mass(at - 1e-5, at + 1e-5) - std::log(2e-5);
    const double narrow = log_normal_mass(at - 1e-6, at + 1e-6) - std::log(2e-6);
    EXPECT_NEAR(wide, narrow, 1e-7);
  }
}

}  // namespace
}  // namespace quantsearch
