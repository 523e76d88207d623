#include "optimizers/gp/improvement.h"

#include <gtest/gtest.h>

#include <cmath>

namespace quantsearch::gp {
namespace {

// High-precision values, computed by a continued fraction with 60 digits.
TEST(ScaledErfc, EqualsValuesOfHighPrecision) {
  EXPECT_DOUBLE_EQ(scaled_erfc(0), 1);
  EXPECT_NEAR(scaled_erfc(1) / 0.42758357615580700, 1, 1e-13);
  EXPECT_NEAR(scaled_erfc(9.999) / 0.05614655260396597, 1, 1e-12);
  EXPECT_NEAR(scaled_erfc(10) / 0.05614099274382259, 1, 1e-13);
  EXPECT_NEAR(scaled_erfc(1000) / 0.0005641893014533876, 1, 1e-13);
}

TEST(LogNormalCdf, IsAccurateFarOutInBothTails) {
  EXPECT_NEAR(log_normal_cdf(0), std::log(0.5), 1e-15);
  EXPECT_NEAR(log_normal_cdf(-10), -53.23128515051247, 1e-11);
  EXPECT_NEAR(log_normal_cdf(-100), -5005.524208694205, 1e-9);
  EXPECT_NEAR(log_normal_cdf(7) / -1.279812543886654e-12, 1, 1e-9);
}

TEST(LogH, EqualsTheDirectFormulaWhereItDoesNotUnderflow) {
  for (const double z : {-6.0, -2.0, -1.01, -0.99, 0.0, 1.5, 8.0}) {
    const long double wide = z;
    const long double density = std::exp(-wide * wide / 2) / std::sqrt(2 * std::acos(-1.0L));
    const long double expected =
        std::log(density + wide * 0.5L * std::erfc(-wide / std::sqrt(2.0L)));
    EXPECT_NEAR(log_h(z), static_cast<double>(expected), 1e-8) << z;
  }
}

TEST(LogH, IsSmoothWhereItsFormulasMeet) {
  for (const double z : {-1.0, -100.0}) {
    const double below = log_h(z * (1 + 1e-9));
    const double above = log_h(z * (1 - 1e-9));
    EXPECT_NEAR(below, above, 3e-9 * z * z + 1e-8) << z;
  }
  // h(z) -> phi(z) / z^2.
  EXPECT_NEAR(log_h(-1e6) / (-0.5e12), 1, 1e-10);
}

TEST(LogExpectedImprovement, IsTheMeanGain) {
  // E max(0, 1 - y), y ~ N(1, 4): 2 phi(0).
  EXPECT_NEAR(log_expected_improvement(1, 4, 1).value, std::log(2 * 0.3989422804014327), 1e-14);
  // Nearly certain: the gain is threshold - mean.
  EXPECT_NEAR(log_expected_improvement(-3, 1e-6, 2).value, std::log(5.0), 1e-12);
}

TEST(LogImprovement, DerivativesEqualFiniteDifferences) {
  constexpr double kStep = 1e-6;
  for (const double mean : {-1.0, 0.3, 4.0, 30.0}) {
    for (const double variance : {0.02, 1.0, 9.0}) {
      for (const auto& function : {log_expected_improvement, log_probability_below}) {
        const LogImprovement here = function(mean, variance, 0.1);
        const double by_mean = (function(mean + kStep, variance, 0.1).value -
                                function(mean - kStep, variance, 0.1).value) /
                               (2 * kStep);
        const double relative = kStep * variance;
        const double by_variance = (function(mean, variance + relative, 0.1).value -
                                    function(mean, variance - relative, 0.1).value) /
                                   (2 * relative);
        EXPECT_NEAR(here.by_mean, by_mean, 1e-5 * (1 + std::abs(by_mean)));
        EXPECT_NEAR(here.by_variance, by_variance, 1e-4 * (1 + std::abs(by_variance)));
      }
    }
  }
}

}  // namespace
}  // namespace quantsearch::gp
