#pragma once

// Which finished trials count as good ("below" the threshold of Bergstra et al. 2011).

#include <cstdint>
#include <span>
#include <vector>

#include "quantsearch/optimizers.h"

namespace quantsearch {

/// What the split looks at; in place of an observation, whose point it does not need.
struct Rated {
  std::int64_t number = 0;
  bool pruned = false;
  std::vector<double> objectives = {};
  double violation = 0;  // sum of the positive constraints
};
/// Throws InvalidInput when a complete trial has another number of objectives than `objectives`.
[[nodiscard]] Rated rate(const Observation& observation, std::size_t objectives);

/// For each trial whether it is among the `count` best: complete feasible ones by value, of several
/// objectives by non-domination rank and, within the rank that does not fit whole, by greedy
/// hypervolume (Ozaki et al. 2022); then pruned ones by the estimate so far; then infeasible ones
/// by violation. Ties go to the lower number.
[[nodiscard]] std::vector<char> best_trials(std::span<const Rated> trials, std::size_t count);

}  // namespace quantsearch
