#pragma once

// Converts distributions to the JSON that Optuna writes, and values to the numbers that it stores.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "quantsearch/storage.h"

namespace quantsearch {

/// Optuna's canonical JSON. Lists and mappings among the choices become strings of JSON, because
/// Optuna accepts scalar values only.
[[nodiscard]] std::string to_json(const Distribution& distribution);
/// Also parses the forms of older releases. Throws InvalidInput, naming `name`.
[[nodiscard]] Distribution parse_distribution(const std::string& json, const std::string& name);

/// The number that represents a value: the value itself, or the index of the choice. Absent when
/// the distribution does not contain the value.
[[nodiscard]] std::optional<double> number_of(const Value& value, const Distribution& distribution);
/// The inverse of number_of(). Throws InvalidInput, naming `name`, when no choice has this index.
[[nodiscard]] Value value_of(double number, const Distribution& distribution,
                             const std::string& name);

/// True when one study may have both for one parameter. By Optuna's rule the kind, the logarithm
/// and the choices must stay the same, while bounds and steps may change.
[[nodiscard]] bool are_compatible(const Distribution& one, const Distribution& other);
/// True when a study that has trials of `before` may go on with `now`: also when the choices of one
/// begin with those of the other, because each trial keeps its own choices.
[[nodiscard]] bool may_follow(const Distribution& before, const Distribution& now);

/// Throws InvalidInput for bounds that are out of order or not finite, for an impossible step or
/// logarithm, and for missing or repeated choices.
void check(const std::string& parameter, const Distribution& distribution);

}  // namespace quantsearch
