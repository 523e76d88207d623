#pragma once

// The placement of operators by measurement, before the first trial of a search for the fastest
// model. What is found is a decision of the study, so that a search that is resumed, and other
// processes that share the study, search the same space.

#include <vector>

#include "autosearch/setup.h"
#include "autosearch/trial_store.h"
#include "quantsearch/base/value.h"

namespace quantsearch {

/// True when a search with this configuration places operators: an escalation towards the fastest
/// model on the CPU.
[[nodiscard]] bool places_operators(const AutoSearchConfig& config);

/// The placements to search: those that the study decided on, else those that are measured now;
/// the study keeps them. Null when no model could be measured; the log says why. The costs in the
/// file of the configuration are used and extended.
[[nodiscard]] Value place_operators(const Setup& setup, const TrialStore& store);

/// The choices of nodes_to_exclude in such a placement, the fastest first; none when it is null.
[[nodiscard]] std::vector<Value> placement_choices(const Value& placement);

}  // namespace quantsearch
