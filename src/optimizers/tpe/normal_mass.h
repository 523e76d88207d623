#pragma once

// Logarithms of areas under the standard normal density. They are accurate in the tails too, where
// the areas themselves underflow.

namespace quantsearch {

/// ln Phi(z).
[[nodiscard]] double log_normal_cdf(double z);
/// ln(Phi(high) - Phi(low)), low < high.
[[nodiscard]] double log_normal_mass(double low, double high);

}  // namespace quantsearch
