#pragma once

// The objectives of trials as losses.

#include <optional>
#include <span>
#include <string_view>

#include "quantsearch/optimizers/non_dominated.h"
#include "quantsearch/search/study.h"

namespace quantsearch {

/// To be minimised: objectives to maximise are negated.
[[nodiscard]] Losses minimised(std::span<const double> values, std::span<const Goal> goals);

/// Losses of a complete trial whose objectives are numbers; nullopt for any other. Throws
/// InvalidInput, beginning with `stage`, when a complete trial has not one objective per goal.
[[nodiscard]] std::optional<Losses> losses_of(const Trial& trial, std::span<const Goal> goals,
                                              std::string_view stage);

}  // namespace quantsearch
