#pragma once

// The first stages of the first trials, computed while the float model is measured.

#include "autosearch/search_plan.h"

namespace quantsearch {

/// Returns measure_baseline(). Where each trial has one thread, most trials of a search begin by
/// waiting for one of them that observes the float model; before the first trial there are threads
/// that have nothing to do. So the model is observed here, as the first point of the space needs
/// it, by a thread that has ended when this returns.
[[nodiscard]] Baseline measure_baseline_beside_observation(const Setup& setup,
                                                           const SearchPlan& plan);

}  // namespace quantsearch
