#include "optimizers/tpe/normal_mass.h"

#include <cmath>
#include <numbers>

namespace quantsearch {

namespace {

/// Phi(z) for z <= 0, without the loss of digits of 1 - erf.
double lower_tail(double z) { return 0.5 * std::erfc(-z / std::numbers::sqrt2); }

}  // namespace

double log_normal_cdf(double z) {
  if (z > 0) return std::log1p(-lower_tail(-z));
  if (z > -20) return std::log(lower_tail(z));
  // phi(z) / -z * (1 - 1/z^2 + 3/z^4 - 15/z^6 ...) (Abramowitz & Stegun 26.2.12); at -20 the terms
  // fall below the last digit before they grow again.
  double term = 1;
  double sum = 1;
  for (int k = 1; k < 20; ++k) {
    term *= -(2 * k - 1) / (z * z);
    sum += term;
    if (std::abs(term) < 1e-17) break;
  }
  return -0.5 * z * z - std::log(-z) - 0.5 * std::log(2 * std::numbers::pi) + std::log(sum);
}

double log_normal_mass(double low, double high) {
  if (low + high > 0) return log_normal_mass(-high, -low);
  // In a narrow interval the difference of the areas would lose more digits than a constant density
  // does.
  if (const double mid = 0.5 * (low + high); high - low < 1e-5)
    return std::log(high - low) - 0.5 * mid * mid - 0.5 * std::log(2 * std::numbers::pi);
  if (high > 0) return std::log1p(-lower_tail(low) - lower_tail(-high));
  const double larger = log_normal_cdf(high);
  return larger + std::log1p(-std::exp(log_normal_cdf(low) - larger));
}

}  // namespace quantsearch
