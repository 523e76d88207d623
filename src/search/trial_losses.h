#pragma once

// Converts the objectives of trials to losses.

#include <optional>
#include <span>
#include <string_view>

#include "quantsearch/optimizers/non_dominated.h"
#include "quantsearch/search/study.h"

namespace quantsearch {

/// Returns the values as losses to minimise: those to maximise are negated.
[[nodiscard]] Losses minimised(std::span<const double> values, std::span<const Goal> goals);

/// Returns the losses of a complete trial without NaN objectives; nullopt for any other trial.
/// Throws InvalidInput, with a message that begins with `stage`, when a complete trial does not
/// have one objective per goal.
[[nodiscard]] std::optional<Losses> losses_of(const Trial& trial, std::span<const Goal> goals,
                                              std::string_view stage);

}  // namespace quantsearch
