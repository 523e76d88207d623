#pragma once

// The standard normal distribution function and its inverse.

namespace quantsearch {

/// P(Z <= z).
[[nodiscard]] double normal_probability(double z);

/// Returns the z with P(Z <= z) = p for 0 < p < 1, accurate to about 1e-15 (Acklam's rational
/// approximation and one Halley step).
[[nodiscard]] double normal_quantile(double p);

}  // namespace quantsearch
