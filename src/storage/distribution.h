#pragma once

// Distributions as Optuna writes them, and values as the numbers it keeps of them.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "quantsearch/storage.h"

namespace quantsearch {

/// Optuna's canonical JSON. Lists and mappings among the choices become strings of JSON: Optuna
/// takes plain values only.
[[nodiscard]] std::string to_json(const Distribution& distribution);
/// Also of the forms of older releases. Throws InvalidInput, naming `name`.
[[nodiscard]] Distribution parse_distribution(const std::string& json, const std::string& name);

/// The number that stands for a value: itself, or the index of the choice; absent when the
/// distribution does not hold it.
[[nodiscard]] std::optional<double> number_of(const Value& value, const Distribution& distribution);
/// Throws InvalidInput, naming `name`, when no choice has this index.
[[nodiscard]] Value value_of(double number, const Distribution& distribution,
                             const std::string& name);

/// Whether one study may hold both for one parameter, by Optuna's rule: the kind, the logarithm and
/// the choices stay, bounds and steps may change.
[[nodiscard]] bool are_compatible(const Distribution& one, const Distribution& other);

/// Throws InvalidInput for bounds out of order or not finite, a step or logarithm that cannot be,
/// no choices or repeated ones.
void check(const std::string& parameter, const Distribution& distribution);

}  // namespace quantsearch
