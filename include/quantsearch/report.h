#pragma once

// What people and programs read of a search: log file, progress, tables, results.json. Reads
// studies, changes nothing.

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "quantsearch/base/log.h"
#include "quantsearch/base/processor.h"
#include "quantsearch/base/value.h"
#include "quantsearch/search/importance.h"
#include "quantsearch/search/study.h"
#include "quantsearch/search/trial_details.h"

namespace quantsearch {

/// Appends every line to `file`, with the time (UTC, ISO 8601) and the level, and flushes it. Safe
/// from several threads. Throws IoError when the file cannot be opened.
[[nodiscard]] LogSink open_log_file(const std::filesystem::path& file);

/// Scores, size and speed of one model. `latency_ms` is measured only for the models that are kept.
struct ModelResult {
  std::map<std::string, double> scores;
  std::int64_t size_bytes = 0;
  std::optional<double> latency_ms;
  bool operator==(const ModelResult&) const = default;
};

/// Scores of one model on a processor whose integer kernels saturate: as its graph says, and as the
/// processor computes.
struct ArithmeticScores {
  std::map<std::string, double> graph;
  std::map<std::string, double> processor;
  bool differ = false;  // by more than integer kernels round
  bool operator==(const ArithmeticScores&) const = default;
};

struct TrialResult {
  std::int64_t number = 0;
  TrialState state = TrialState::complete;
  Point config;
  ModelResult model;  // of a complete trial
  bool is_candidate = false;
  bool is_feasible = true;                   // keeps the limits of the search
  std::optional<std::int64_t> float_layers;  // that stay float; absent in older files
  double seconds = 0;
  std::map<std::string, StageResult> stages;
  std::string reason;                         // of any other
  std::map<std::string, Value> layer_tables;  // "precision", "reconstruction", "left_float": a list
                                              // of one mapping for each layer
  // Of a written model, on a processor whose integer kernels saturate.
  std::optional<ArithmeticScores> arithmetic;
  bool operator==(const TrialResult&) const = default;
};

/// The best trials on samples that no trial has seen.
struct Confirmation {
  std::int64_t samples = 0;
  double float_score = 0;  // of the objective, like the others
  // Trial and score; the best of the search first.
  std::vector<std::pair<std::int64_t, double>> scores;
  bool operator==(const Confirmation&) const = default;
};

/// What results.json holds (schema 1).
struct ResultsDocument {
  std::string model;
  std::string objective;  // name of the score that was optimized
  Goal goal = Goal::minimize;
  std::string tolerance;  // the rule in words
  ModelResult float_model;
  std::vector<TrialResult> trials;
  std::optional<std::int64_t> best;          // trial in best.onnx
  std::vector<std::int64_t> candidates;      // numbers, best first
  std::optional<Confirmation> confirmation;  // what chose `best` among the first of them
  // Trials that no other beats, where there are several objectives.
  std::vector<std::int64_t> front;
  std::string stop_reason;
  std::string stop_message;
  SpaceSummary space;
  double seconds = 0;
  std::int64_t peak_rss_bytes = 0;
  // The best model is made for an NPU, of whose speed this machine says nothing.
  bool for_npu = false;
  std::optional<Processor> processor;  // that the trials ran on; absent in older files
  std::int64_t cache_hits = 0;
  std::int64_t cache_misses = 0;
  double cache_seconds_saved = 0;
};

/// The part of a trial that is not measured afterwards.
[[nodiscard]] TrialResult trial_result(const Trial& trial);

/// What is known of a study that has not ended, or was not ours: its trials.
[[nodiscard]] ResultsDocument results_of(const std::string& study, const std::string& objective,
                                         Goal goal, const std::vector<Trial>& trials);

/// What each parameter mattered for the objective, most important first
/// (quantsearch/search/importance.h). Empty for fewer complete trials than say anything: 10.
[[nodiscard]] std::vector<ParameterImportance> importances_of(const ResultsDocument& document);

[[nodiscard]] Value to_value(const ResultsDocument& document);
/// Throws InvalidInput when `value` is not a results document of schema 1.
[[nodiscard]] ResultsDocument results_from(const Value& value);

/// Float, best, worst and what it took: what `search` prints at its end.
[[nodiscard]] std::string summary_text(const ResultsDocument& document);
/// Every complete trial, best first, then the others with their reasons.
[[nodiscard]] std::string trials_table(const ResultsDocument& document);

/// A page with charts, tables and the layers of the best model; needs nothing else to be shown.
[[nodiscard]] std::string html_report(const ResultsDocument& document);

/// Columns as wide as their widest cell; the first one aligned left, numbers right.
[[nodiscard]] std::string text_table(const std::vector<std::vector<std::string>>& rows);

/// Progress of a running search: on a terminal one line that is rewritten, elsewhere a line for
/// each finished trial.
class ProgressLine {
 public:
  /// `total` trials are expected at most (absent: unknown). `out` outlives the object.
  ProgressLine(std::ostream& out, bool is_terminal, std::string objective, Goal goal,
               std::optional<std::int64_t> total);
  ~ProgressLine();
  /// The best trial of an earlier run that is continued.
  void known(const Trial& best);
  void started(std::int64_t number);
  void finished(const Trial& trial);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace quantsearch
