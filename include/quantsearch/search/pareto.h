#pragma once

// Trials with several objectives: which of them no other dominates.

#include <cstdint>
#include <span>
#include <vector>

#include "quantsearch/search/study.h"

namespace quantsearch {

/// The trials by non-domination: those of the first front are beaten by no other in all objectives,
/// those of the next only by these, and so on. Numbers, in the order of the trials. Only complete
/// trials that keep their constraints and whose objectives are numbers take part; equal ones share
/// a front. `goals`: one per objective; with a single one, a trial's `value` counts. Throws
/// InvalidInput when a complete trial has another number of objectives.
[[nodiscard]] std::vector<std::vector<std::int64_t>> pareto_fronts(std::span<const Trial> trials,
                                                                   std::span<const Goal> goals);

/// The first of them; empty when no trial takes part.
[[nodiscard]] std::vector<std::int64_t> pareto_front(std::span<const Trial> trials,
                                                     std::span<const Goal> goals);

}  // namespace quantsearch
