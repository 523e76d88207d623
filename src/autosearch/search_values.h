#pragma once

// Reads and checks the values of search keys. Each function throws InvalidInput for an invalid
// value; the message does not contain the key's name.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "quantsearch/autosearch.h"

namespace quantsearch {

/// Throws for a member of `mapping` that is not in `known`.
void require_known(const std::string& what, const Value& mapping,
                   const std::vector<std::string>& known);

/// A number above 0; -1 and null switch the limit off.
[[nodiscard]] std::optional<double> read_limit(const Value& value);
[[nodiscard]] std::optional<std::int64_t> read_count(const Value& value);
[[nodiscard]] Goal read_direction(const Value& value);

/// Returns the name of an objective that results use: of a metric, the size or the latency. Any
/// other name is that of a score of the evaluator.
[[nodiscard]] std::string objective_name(const std::string& name);
/// Reads one metric or a list: the first decides between trials, and all of them define the front.
void read_objectives(GoalConfig& goals, const Value& value);
[[nodiscard]] std::map<std::string, std::optional<double>> read_limits(const Value& value);
[[nodiscard]] double read_tolerance(const Value& value);
[[nodiscard]] std::map<std::string, double> read_weights(const Value& value);

[[nodiscard]] AdvancedFinetuneSearch read_advanced(const Value& value);
/// Reads true, false, or the share of good trials that may be lost.
[[nodiscard]] std::optional<double> read_race_error(const Value& value);
[[nodiscard]] int read_jobs(const Value& value);
[[nodiscard]] int read_latency_threads(const Value& value);
[[nodiscard]] FixedInputs read_fixed_inputs(const Value& value);
/// Reads auto, always or never.
[[nodiscard]] LayerRanking read_layer_ranking(const Value& value);
[[nodiscard]] std::optional<Preprocess> read_preprocess(const Value& value);
/// Accepts a postgresql:// address or an empty string.
[[nodiscard]] std::string parse_storage(const std::string& url);

}  // namespace quantsearch
