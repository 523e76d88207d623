#pragma once

// Values of search keys, checked. Each function throws InvalidInput, without the key's name, for
// what a key cannot be.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "quantsearch/autosearch.h"

namespace quantsearch {

/// Throws for a member of `mapping` that is not known.
void require_known(const std::string& what, const Value& mapping,
                   const std::vector<std::string>& known);

/// A number above 0; -1 and null switch the limit off.
[[nodiscard]] std::optional<double> read_limit(const Value& value);
[[nodiscard]] std::optional<std::int64_t> read_count(const Value& value);
[[nodiscard]] Goal read_direction(const Value& value);
[[nodiscard]] std::optional<CommandEvaluator> read_command(const Value& value);

/// The name of an objective as results have it: "size", "latency" and "custom" beside the metrics.
[[nodiscard]] std::string objective_name(const std::string& name);
/// One metric, or a list: the first decides between trials, all make the front.
void read_objectives(GoalConfig& goals, const Value& value);
[[nodiscard]] std::map<std::string, std::optional<double>> read_limits(const Value& value);
[[nodiscard]] double read_tolerance(const Value& value);
[[nodiscard]] std::map<std::string, double> read_weights(const Value& value);

[[nodiscard]] AdvancedFinetuneSearch read_advanced(const Value& value);
/// true, false, or the share of good trials that may be lost.
[[nodiscard]] std::optional<double> read_race_error(const Value& value);
[[nodiscard]] int read_jobs(const Value& value);
[[nodiscard]] FixedInputs read_fixed_inputs(const Value& value);
/// A postgresql:// address, or nothing.
[[nodiscard]] std::string parse_storage(const std::string& url);

}  // namespace quantsearch
