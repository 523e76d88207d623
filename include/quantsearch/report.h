#pragma once

// Output of a search for people and programs: log file, progress, tables, results.json. It reads
// studies and does not change them.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "quantsearch/base/log.h"
#include "quantsearch/base/processor.h"
#include "quantsearch/base/value.h"
#include "quantsearch/search/importance.h"
#include "quantsearch/search/kept_trials.h"
#include "quantsearch/search/space.h"
#include "quantsearch/search/study.h"
#include "quantsearch/search/trial_details.h"

namespace quantsearch {

/// Appends every line to `file`, with the time (UTC, ISO 8601) and the level, and flushes it.
/// Thread-safe. Throws IoError when the file cannot be opened, InvalidInput when it is neither a
/// file nor a device or is a pipe that no process reads.
[[nodiscard]] LogSink open_log_file(const std::filesystem::path& file);

/// Scores, size and speed of one model. `latency_ms` is measured only for the models that are kept.
struct ModelResult {
  std::map<std::string, double> scores;
  std::int64_t size_bytes = 0;
  std::optional<double> latency_ms;
  std::optional<LatencyRatio> latency_ratio = {};  // beside the float model
  std::optional<std::int64_t> conversions = {};    // of activations, in a quantized model
  bool operator==(const ModelResult&) const = default;
};

/// Scores of one model on a processor whose integer kernels saturate: with the arithmetic of its
/// graph, and with that of the processor.
struct ArithmeticScores {
  std::map<std::string, double> graph;
  std::map<std::string, double> processor;
  bool differ = false;      // by more than the rounding of integer kernels explains
  std::string advice = {};  // what is left to try then, "; ..."
  bool operator==(const ArithmeticScores&) const = default;
};

struct TrialResult {
  std::int64_t number = 0;
  TrialState state = TrialState::complete;
  Point config;
  ModelResult model;  // of a complete trial
  bool is_candidate = false;
  bool is_feasible = true;                   // meets the limits of the search
  std::optional<std::int64_t> float_layers;  // layers that stay float; absent in older files
  // Resident memory of its process when it ended; absent in older files.
  std::optional<std::int64_t> memory_bytes = {};
  std::optional<double> ended_at = {};  // seconds since 1970; absent in older files
  double seconds = 0;
  std::map<std::string, StageResult> stages;
  std::string reason;  // why a trial is not complete
  // "precision", "reconstruction", "left_float": a list of one mapping for each layer.
  std::map<std::string, Value> layer_tables;
  // For a written model, on a processor whose integer kernels saturate.
  std::optional<ArithmeticScores> arithmetic;
  bool operator==(const TrialResult&) const = default;
};

/// Scores of the best trials on samples that no trial has used.
struct Confirmation {
  std::int64_t samples = 0;
  double float_score = 0;  // score of the objective, as in `scores`
  // Trial and score; the best trial of the search first.
  std::vector<std::pair<std::int64_t, double>> scores;
  bool operator==(const Confirmation&) const = default;
};

/// The stop reason of a search that has not ended.
inline constexpr const char* kRunning = "running";

/// The content of results.json (schema 1).
struct ResultsDocument {
  std::string model;
  std::string objective;  // name of the score that was optimized
  Goal goal = Goal::minimize;
  SearchGoal search_goal = SearchGoal::most_accurate;
  std::string tolerance;  // the rule in words
  // What the float model said of labels, tolerance and time limit before the first trial.
  std::vector<std::string> warnings;
  ModelResult float_model;
  // By number. Of more than KeptTrials::Bounds has room for they are a part, and `trials_in_all` is
  // their number.
  std::vector<TrialResult> trials;
  std::optional<std::int64_t> trials_in_all = {};
  std::optional<std::int64_t> best;  // the trial in best.onnx
  // The complete trial with the settings that the search started from (quantization_config), if
  // there is one.
  std::optional<std::int64_t> base_trial = {};
  std::string base_note = {};                // why there is none, or in what it differs
  std::vector<std::int64_t> candidates;      // trial numbers, best first
  std::optional<Confirmation> confirmation;  // chose `best` among the first candidates
  // Trials that no other trial dominates, when there are several objectives.
  std::vector<std::int64_t> front;
  std::string stop_reason;  // kRunning while the search runs
  std::string stop_message;
  SpaceSummary space;
  double seconds = 0;
  std::int64_t peak_rss_bytes = 0;
  // True when the best model is made for an NPU, whose speed cannot be measured on this machine.
  bool for_npu = false;
  // Of the activations of the best model, as in configurations; empty in older files.
  std::string activation_type = {};
  std::string device = "cpu";          // where models were scored and timed
  std::optional<Processor> processor;  // where the trials ran; absent in older files
  // Versions, command line and inputs (docs/delivery.md); null in older files.
  Value provenance = {};
  // How operators were placed by measurement (docs/search.md); null when they were not.
  Value placement = {};
  /// Which layers of the best model hurt (docs/search.md): what sensitivity_value() makes, with the
  /// trial; a mapping with `left_out`, the reason, when they were not measured; else null.
  Value sensitivity = {};
  // The operators of the best model, one mapping each (docs/report.md); a mapping with `left_out`,
  // the reason, when they were not described; null while the search runs and in older files.
  Value layers = {};
  std::string rebuild_command = {};  // builds best.onnx again; empty when it is not known
  std::int64_t cache_hits = 0;
  std::int64_t cache_misses = 0;
  double cache_seconds_saved = 0;

  [[nodiscard]] Ranking ranking() const { return {goal, search_goal}; }
  [[nodiscard]] std::int64_t trial_count() const {
    return trials_in_all.value_or(static_cast<std::int64_t>(trials.size()));
  }
};

/// The part of a trial's result that is not measured after the search.
[[nodiscard]] TrialResult trial_result(const Trial& trial);

/// Passes the trials of a study to the function that it is called with, in the order in which they
/// began.
using VisitTrials = std::function<void(const std::function<void(Trial&&)>& take)>;

/// The trials of a study as far as it has come, of many a part.
struct TrialsSoFar {
  TrialsSoFar(Ranking ranking, std::vector<Goal> goals) : kept(ranking, std::move(goals)) {}
  /// Counts a trial that has ended.
  void add(Trial ended);

  KeptTrials kept;
  double seconds = 0;  // of those that have ended
  std::int64_t running = 0;
};

/// The results of a study that has not ended or that another program wrote, which are its trials.
/// The front is listed when there are several goals.
[[nodiscard]] ResultsDocument results_of(const std::string& study, const std::string& objective,
                                         const std::vector<Goal>& goals, const TrialsSoFar& trials);
[[nodiscard]] ResultsDocument results_of(const std::string& study, const std::string& objective,
                                         const std::vector<Goal>& goals, const VisitTrials& visit);
/// The results of a search so far: `head` has what was known before its first trial.
[[nodiscard]] ResultsDocument results_so_far(ResultsDocument head, const std::vector<Goal>& goals,
                                             const TrialsSoFar& trials);
[[nodiscard]] ResultsDocument results_so_far(ResultsDocument head, const std::vector<Goal>& goals,
                                             const VisitTrials& visit);
/// A visit of trials that are in memory, which must outlive it.
[[nodiscard]] VisitTrials visit_of(const std::vector<Trial>& trials);

/// The importance of each parameter for the objective, most important first
/// (quantsearch/search/importance.h). Empty below 10 complete trials, which are too few for an
/// estimate.
[[nodiscard]] std::vector<ParameterImportance> importances_of(const ResultsDocument& document);

[[nodiscard]] Value to_value(const ResultsDocument& document);
/// Throws InvalidInput when `value` is not a results document of schema 1.
[[nodiscard]] ResultsDocument results_from(const Value& value);

/// The width of text without a terminal.
inline constexpr std::size_t kTextColumns = 80;
/// The float model, the best and the worst trial, and the cost: the text that `search` prints at
/// its end. No line is wider than `width`.
[[nodiscard]] std::string summary_text(const ResultsDocument& document,
                                       std::size_t width = kTextColumns);
/// What all trials have in common, then every complete trial, best first, then the others with
/// their reasons.
[[nodiscard]] std::string trials_table(const ResultsDocument& document,
                                       std::size_t width = kTextColumns);

/// Both, with what all trials have in common once.
[[nodiscard]] std::string report_text(const ResultsDocument& document,
                                      std::size_t width = kTextColumns);

/// The data that report.html draws: one mapping for each search, and how often a page that is
/// served asks for them again (docs/report.md).
[[nodiscard]] Value report_data(std::span<const ResultsDocument> searches,
                                std::optional<int> refresh_seconds = std::nullopt);
/// A page with charts, tables and the layers of the best model, which needs no network and no other
/// file.
[[nodiscard]] std::string html_report(const ResultsDocument& document);
/// The same with any data of report_data(); two searches are set side by side.
[[nodiscard]] std::string html_page(const Value& data);

/// One line for each trial with all its settings and scores, as RFC 4180 says.
[[nodiscard]] std::string trials_csv(const ResultsDocument& document);
/// The same of every trial of a study, line by line, when the document lists a part of them. The
/// trials are visited twice: for the names of the columns and for the lines.
void write_trials_csv(const ResultsDocument& document, const VisitTrials& visit,
                      const std::function<void(std::string_view line)>& write);
/// The result and the trials as a Markdown document with tables.
[[nodiscard]] std::string markdown_report(const ResultsDocument& document);
/// Both results side by side: scores, size, latency and cost, for a terminal of 80 columns.
[[nodiscard]] std::string comparison_text(const ResultsDocument& first,
                                          const ResultsDocument& second);

/// How the progress of a search is shown. What all trials of `space` have in common is shown before
/// the first one, and of each trial the rest.
struct ProgressOptions {
  bool is_terminal = false;
  std::size_t width = kTextColumns;
  std::string objective = {};
  Ranking ranking = Goal::minimize;
  std::optional<std::int64_t> total = {};  // largest expected number of trials; absent: unknown
  std::optional<Space> space = {};         // absent: the whole point of each trial is shown
};

/// Shows the progress of a running search: on a terminal in one line that is rewritten, otherwise
/// in one line for each finished trial, which is broken where it is wider than `width`.
class ProgressLine {
 public:
  /// `out` must outlive the object.
  ProgressLine(std::ostream& out, ProgressOptions options);
  ~ProgressLine();
  /// Gives the best trial of an earlier run that is continued.
  void known(const Trial& best);
  void started(std::int64_t number);
  void finished(const Trial& trial);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace quantsearch
