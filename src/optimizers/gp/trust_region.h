#pragma once

// A box around the best observation that grows with successes and shrinks with failures (TuRBO,
// Eriksson et al. 2019, arXiv 1910.01739). Half of the points are searched in it: in many
// dimensions a Gaussian process is least uncertain in the middle and would spend its trials at the
// corners of the domain.

#include <algorithm>
#include <vector>

#include "quantsearch/optimizers.h"

namespace quantsearch::gp {

struct TrustRegion {
  Coordinates centre;
  double width = 1;  // in each numeric dimension, on the unit axis; categories are unrestricted
  [[nodiscard]] double low(double unit) const { return std::max(0.0, unit - width / 2); }
  [[nodiscard]] double high(double unit) const { return std::min(1.0, unit + width / 2); }
};

/// Returns the width after these observations, in the order they were told. The first `startup` of
/// them only set the value to be improved. There is one objective. `pending` is the number of
/// trials that run: so many more failures are waited for.
[[nodiscard]] double trust_width(const std::vector<Observation>& observations, std::size_t startup,
                                 std::size_t dimensions, std::size_t pending);

}  // namespace quantsearch::gp
