#pragma once

// The standard normal distribution function and its inverse.

namespace quantsearch {

/// P(Z <= z).
[[nodiscard]] double normal_probability(double z);

/// The z with P(Z <= z) = p, 0 < p < 1, to about 1e-15 (Acklam's rational start, one Halley step).
[[nodiscard]] double normal_quantile(double p);

}  // namespace quantsearch
