#pragma once

// Trials with several objectives: which of them no other dominates.

#include <cstdint>
#include <span>
#include <vector>

#include "quantsearch/search/study.h"

namespace quantsearch {

/// Returns the numbers of the trials, sorted into fronts by non-domination: no trial dominates one
/// of the first front, only trials of the first front dominate those of the second, and so on.
/// Within a front the numbers are in the order of `trials`. Only complete trials that satisfy their
/// constraints and have no NaN objective take part; trials with equal objectives share a front.
/// `goals`: one per objective; with a single one, a trial's `value` counts. Throws InvalidInput
/// when a complete trial has another number of objectives.
[[nodiscard]] std::vector<std::vector<std::int64_t>> pareto_fronts(std::span<const Trial> trials,
                                                                   std::span<const Goal> goals);

/// Returns the first front of pareto_fronts(); empty when no trial takes part.
[[nodiscard]] std::vector<std::int64_t> pareto_front(std::span<const Trial> trials,
                                                     std::span<const Goal> goals);

}  // namespace quantsearch
