#pragma once

// The search space of test functions, and what a search of them found.

#include <algorithm>
#include <cstddef>
#include <limits>
#include <vector>

#include "quantsearch/optimizers.h"

namespace quantsearch {

/// Real numbers in [-5, 5].
inline Domain box(std::size_t dimensions) {
  return {.dimensions = std::vector<SearchDimension>(dimensions, FloatRange{.low = -5, .high = 5})};
}

/// The least value of the first objective.
inline double best_of(const std::vector<Observation>& history) {
  double best = std::numeric_limits<double>::infinity();
  for (const Observation& seen : history) best = std::min(best, seen.objectives[0]);
  return best;
}

}  // namespace quantsearch
