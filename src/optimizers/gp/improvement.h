#pragma once

// Logarithms of expected improvement and of the normal distribution that do not underflow (Ament et
// al. 2023, arXiv 2310.20708, section 4.1). All functions are for minimisation.

namespace quantsearch::gp {

/// exp(x^2) erfc(x) for x >= 0.
[[nodiscard]] double scaled_erfc(double x);
/// ln of the standard normal distribution function.
[[nodiscard]] double log_normal_cdf(double z);
/// ln h(z), h(z) = phi(z) + z Phi(z): expected improvement in units of the deviation.
[[nodiscard]] double log_h(double z);

struct LogImprovement {
  double value = 0;
  double by_mean = 0;
  double by_variance = 0;
};
/// ln E[max(0, threshold - y)], y ~ N(mean, variance), and its derivatives. variance > 0.
[[nodiscard]] LogImprovement log_expected_improvement(double mean, double variance,
                                                      double threshold);

/// ln P(y <= threshold) and its derivatives.
[[nodiscard]] LogImprovement log_probability_below(double mean, double variance, double threshold);

}  // namespace quantsearch::gp
