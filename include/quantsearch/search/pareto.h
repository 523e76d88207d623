#pragma once

// Trials with several objectives: which of them no other beats, and how much they reach together.

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

/// Volume of the objectives that the first front beats, up to `reference`: a value per goal, worse
/// than what is wanted (for a goal to maximise, below it). Its unit is the product of the
/// objectives'. Throws InvalidInput like pareto_fronts, and when the reference has not one finite
/// value per goal.
[[nodiscard]] double dominated_hypervolume(std::span<const Trial> trials,
                                           std::span<const Goal> goals,
                                           std::span<const double> reference);

}  // namespace quantsearch
