#pragma once

// Splits finished trials into good and bad ones (good is "below" the threshold of Bergstra et al.
// 2011).

#include <cstdint>
#include <span>
#include <vector>

#include "quantsearch/optimizers.h"

namespace quantsearch {

/// The part of an observation that the split needs, which does not include the point.
struct Rated {
  std::int64_t number = 0;
  bool pruned = false;
  std::vector<double> objectives = {};
  double violation = 0;  // sum of the positive constraints
};
/// Throws InvalidInput when a complete trial has another number of objectives than `objectives`.
[[nodiscard]] Rated rate(const Observation& observation, std::size_t objectives);

/// Returns for each trial whether it is among the `count` best. Complete feasible trials come
/// first, by value; with several objectives by non-domination rank and, within the rank that does
/// not fit as a whole, by greedy hypervolume (Ozaki et al. 2022). Pruned ones follow by the
/// estimate so far, then infeasible ones by violation. Ties go to the lower number.
[[nodiscard]] std::vector<char> best_trials(std::span<const Rated> trials, std::size_t count);

/// Returns the indices of `rows` in the order of their trials as above, best first. One objective.
[[nodiscard]] std::vector<std::size_t> ranking(std::span<const Rated> trials,
                                               std::span<const std::uint32_t> rows);

}  // namespace quantsearch
