#include "optimizers/gp/improvement.h"

#include <cmath>
#include <numbers>

namespace quantsearch::gp {

namespace {

const double kLogRootTwoPi = 0.5 * std::log(2 * std::numbers::pi);
const double kLogRootHalfPi = 0.5 * std::log(std::numbers::pi / 2);
constexpr double kSqrt2 = std::numbers::sqrt2;

/// Below this the ratios of phi, Phi and h equal their limits |z| and z^2 to 1e-7, and differences
/// of their logarithms lose more digits than that.
constexpr double kFar = -5e3;

double log_density(double z) { return -0.5 * z * z - kLogRootTwoPi; }

/// ln(1 - exp(x)) for x < 0 (Maechler 2012).
double log_one_minus_exp(double x) {
  return x > -std::numbers::ln2 ? std::log(-std::expm1(x)) : std::log1p(-std::exp(x));
}

}  // namespace

double scaled_erfc(double x) {
  if (x < 10) return std::exp(x * x) * std::erfc(x);
  // Asymptotic series: for x >= 10 the first term left out is below 1e-16.
  const double inverse = 1 / (2 * x * x);
  double term = 1;
  double sum = 1;
  for (int k = 1; k <= 9; ++k) {
    term *= -(2 * k - 1) * inverse;
    sum += term;
  }
  return sum / (x * std::sqrt(std::numbers::pi));
}

double log_normal_cdf(double z) {
  if (z > 5) return std::log1p(-0.5 * std::erfc(z / kSqrt2));
  if (z > -5) return std::log(0.5 * std::erfc(-z / kSqrt2));
  return -0.5 * z * z + std::log(0.5 * scaled_erfc(-z / kSqrt2));
}

double log_h(double z) {
  if (z > -1) {
    return std::log(std::exp(log_density(z)) + z * 0.5 * std::erfc(-z / kSqrt2));
  }
  if (z > -100) {
    // h = phi (1 - |z| Mills ratio); the difference is computed in logarithms.
    const double share = std::log(scaled_erfc(-z / kSqrt2) * -z) + kLogRootHalfPi;
    return log_density(z) + log_one_minus_exp(share);
  }
  const double inverse = 1 / (z * z);
  return log_density(z) + std::log(inverse) +
         std::log1p(inverse * (-3 + inverse * (15 - 105 * inverse)));
}

LogImprovement log_expected_improvement(double mean, double variance, double threshold) {
  const double deviation = std::sqrt(variance);
  const double z = (threshold - mean) / deviation;
  const double log_height = log_h(z);
  // EI = deviation h(z); dEI/dmean = -Phi(z); dEI/ddeviation = phi(z).
  const bool is_far = z < kFar;
  const double slope = is_far ? -z : std::exp(log_normal_cdf(z) - log_height);
  const double spread = is_far ? z * z : std::exp(log_density(z) - log_height);
  return {.value = std::log(deviation) + log_height,
          .by_mean = -slope / deviation,
          .by_variance = 0.5 * spread / variance};
}

LogImprovement log_probability_below(double mean, double variance, double threshold) {
  const double deviation = std::sqrt(variance);
  const double z = (threshold - mean) / deviation;
  const double value = log_normal_cdf(z);
  const double hazard = z < kFar ? -z : std::exp(log_density(z) - value);
  return {
      .value = value, .by_mean = -hazard / deviation, .by_variance = -0.5 * hazard * z / variance};
}

}  // namespace quantsearch::gp
