#pragma once

// Rounding without a call for each value, so that loops vectorize on every x86-64.

namespace quantsearch {

/// std::nearbyint() for |x| < 2^51, half to even. Adding and subtracting 1.5 * 2^52 leaves no place
/// for a fraction. Larger values come back nearly unchanged.
inline double round_half_to_even(double x) {
  constexpr double kRounder = 6755399441055744.0;
  return (x + kRounder) - kRounder;
}

}  // namespace quantsearch
