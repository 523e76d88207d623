#pragma once

// What a trial records besides its objectives. Trial::details holds it as a Value; the text keys
// are defined only here.

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

/// Latency of a trial's model divided by that of the float model, measured in turns.
struct LatencyRatio {
  double ratio = 0;  // median over pairs of runs
  double low = 0;    // 95 % confidence interval of the median
  double high = 0;
  double float_ms = 0;  // of the float model in the same pairs
  bool operator==(const LatencyRatio&) const = default;
};

struct TrialDetails {
  // A score that is not finite is absent after it has been written to a file and read back.
  std::map<std::string, double> scores = {};
  std::int64_t size_bytes = 0;
  std::optional<std::int64_t> float_layers = {};   // that stay float; absent in older studies
  std::optional<double> latency_ms = {};           // present when the latency was measured
  std::optional<LatencyRatio> latency_ratio = {};  // likewise, beside the float model
  std::optional<std::int64_t> conversions = {};    // of activations, in the model's graphs
  std::optional<std::int64_t> memory_bytes = {};   // resident in the process when the trial ended
  std::optional<double> ended_at = {};             // seconds since 1970, UTC
  std::map<std::string, StageResult> stages = {};
  /// What methods decided, by the name of the table ("precision", "reconstruction", "left_float"):
  /// a list with one mapping for each layer.
  std::map<std::string, Value> layer_tables = {};
  bool operator==(const TrialDetails&) const = default;
};

[[nodiscard]] Value to_value(const LatencyRatio& latency);
[[nodiscard]] Value to_value(const TrialDetails& details);
/// Reads details back. Entries that are absent or of another type are left out, because a study may
/// have been written by another program.
[[nodiscard]] TrialDetails details_from(const Value& value);

}  // namespace quantsearch
