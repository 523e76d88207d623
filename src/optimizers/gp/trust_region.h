#pragma once

// A box around the best observation that grows with successes and shrinks with failures (TuRBO,
// Eriksson et al. 2019, arXiv 1910.01739). Half of the points are sought in it: in many dimensions
// a Gaussian process is surest of the middle and would spend its trials at the corners of the
// domain.

#include <algorithm>
#include <vector>

#include "quantsearch/optimizers.h"

namespace quantsearch::gp {

struct TrustRegion {
  Coordinates centre;
  double width = 1;  // of the unit axis, of each numeric dimension; categories are free
  [[nodiscard]] double low(double unit) const { return std::max(0.0, unit - width / 2); }
  [[nodiscard]] double high(double unit) const { return std::min(1.0, unit + width / 2); }
};

/// Width after these observations, in the order they were told, of which the first `startup` only
/// set what is to be improved. One objective.
[[nodiscard]] double trust_width(const std::vector<Observation>& observations, std::size_t startup,
                                 std::size_t dimensions);

}  // namespace quantsearch::gp
