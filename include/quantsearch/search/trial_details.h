#pragma once

// What a trial says of itself beside its objectives. Trial::details holds it as a value; its text
// keys are known here alone.

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "quantsearch/base/value.h"

namespace quantsearch {

struct StageResult {
  double seconds = 0;
  bool cached = false;
  bool operator==(const StageResult&) const = default;
};

struct TrialDetails {
  // One that is not finite is absent after it has been in a file.
  std::map<std::string, double> scores = {};
  std::int64_t size_bytes = 0;
  std::optional<std::int64_t> float_layers = {};  // that stay float; absent in older studies
  std::optional<double> latency_ms = {};          // where every trial measures its own
  std::map<std::string, StageResult> stages = {};
  /// By name ("precision", "reconstruction", "left_float") a list of one mapping for each layer:
  /// what methods decided.
  std::map<std::string, Value> layer_tables = {};
  bool operator==(const TrialDetails&) const = default;
};

[[nodiscard]] Value to_value(const TrialDetails& details);
/// Leaves out what is not there or of another kind: studies may be of others.
[[nodiscard]] TrialDetails details_from(const Value& value);

}  // namespace quantsearch
