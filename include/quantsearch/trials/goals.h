#pragma once

// The goals of a search: the metric that decides, further objectives, and limits that a model must
// satisfy.

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "quantsearch/base/cancellation.h"
#include "quantsearch/evaluate.h"
#include "quantsearch/model.h"
#include "quantsearch/search/study.h"

namespace quantsearch {

inline constexpr const char* kSizeGoal = "size_bytes";
inline constexpr const char* kLatencyGoal = "latency_ms";
inline constexpr const char* kCustomGoal = "custom";  // the score of a user's evaluator

/// Thrown by CustomEvaluator::score when the model cannot become the best: the trial is pruned.
class PrunedByEvaluator : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A user's own score of a model file, which replaces a metric. What `score` throws makes the trial
/// failed, except PrunedByEvaluator and Cancelled.
struct CustomEvaluator {
  std::function<double(const std::filesystem::path& model, const CancellationToken& token)> score;
  Goal direction = Goal::maximize;
};

/// Configuration of the objectives, limits and tolerance of a search.
struct GoalConfig {
  Metric metric = Metric::l2;   // search_metric: decides unless an evaluator does
  bool metric_by_data = false;  // search_metric: auto; `metric` becomes top1 where there are labels
  /// search_goal: what the best trial is, among those within tolerance and limits.
  SearchGoal goal = SearchGoal::most_accurate;
  bool latency = true;      // search_latency: models may be timed
  int latency_threads = 1;  // search_latency_threads: of a timed run
  /// The further entries of a list: metrics, "size_bytes", "latency_ms" and "custom" (the
  /// evaluator's score). With "custom" in this list the metric decides although there is an
  /// evaluator.
  std::vector<std::string> more_objectives = {};
  /// The first entry of search_metric when it is a list or "custom", because an evaluator must not
  /// replace a metric that a list names. Empty when search_metric is a single metric.
  std::string named_first = {};
  /// search_limits: upper limits of "size_bytes", "latency_ms" (of one run, in milliseconds) and
  /// "drop" (the loss against the float model, in units of the metric). nullopt: no limit, not even
  /// the default limit of a latency that is measured.
  std::map<std::string, std::optional<double>> limits = {};
  // search_metric_tolerance; absent: a default rule (docs/metrics.md)
  std::optional<double> tolerance = {};
  std::map<std::string, double> output_weights = {};  // search_metric_output_weights
  std::optional<CommandEvaluator> command = {};       // search_evaluator
  /// search_confirmation: the share of the evaluation data that is held out from trials, in [0, 1).
  /// At the end the best trials are scored on it, and the best of these is delivered.
  double confirmation = 0;
};

/// The name of an objective (a metric, "size_bytes", "latency_ms" or "custom") and its direction.
struct ObjectiveName {
  std::string name;
  Goal goal = Goal::minimize;
};
/// Returns the objective that decides: the evaluator's score if there is an evaluator, unless the
/// metric is the first entry of a list that contains "custom" later.
[[nodiscard]] ObjectiveName objective_of(const GoalConfig& config,
                                         const std::optional<CustomEvaluator>& evaluator);

/// Throws InvalidInput when the objectives name an evaluator's score and there is none, or when an
/// evaluator would take the place of a metric that a list names.
void require_objectives(const GoalConfig& config, bool has_evaluator);

/// Returns the metrics that are recorded in addition to the objective. They take very little time
/// and make results comparable.
[[nodiscard]] std::vector<Metric> recorded_metrics(const GoalConfig& config, bool has_labels);

/// Returns the score that the user's evaluator gives to a model, which is written to a temporary
/// file. Throws IoError when the score is not a finite number.
[[nodiscard]] double custom_score(const CustomEvaluator& evaluator, const Model& model,
                                  const CancellationToken& token);

class SearchGoals {
 public:
  /// `first`: the objective that decides between trials. `float_scores`: the scores of the float
  /// model, including its latency if needs_latency(). `evaluator`: may be null.
  SearchGoals(const GoalConfig& config, ObjectiveName first, const Scores& float_scores,
              const CustomEvaluator* evaluator);

  /// True when the latency is an objective or has a limit, so that it is measured for every trial.
  [[nodiscard]] static bool needs_latency(const GoalConfig& config);

  [[nodiscard]] const std::vector<ObjectiveName>& objectives() const { return objectives_; }
  [[nodiscard]] std::vector<Goal> goals() const;
  [[nodiscard]] std::vector<std::string> names() const;
  [[nodiscard]] std::vector<std::string> limit_names() const;
  /// Returns one text for each limit, for example "latency_ms at most 3.2 (the float model's)".
  [[nodiscard]] std::vector<std::string> rules() const;

  /// Returns one value for each objective; empty when there is only one.
  [[nodiscard]] std::vector<double> values(const Scores& scores) const;
  /// Returns one value for each limit: the excess as a share of the limit, at most 0 when the limit
  /// is satisfied. For a limit that is not above zero, the excess itself.
  [[nodiscard]] std::vector<double> violations(const Scores& scores) const;

 private:
  struct Limit {
    std::string name;
    double most = 0;  // of the size, the latency or the loss against the float model
    std::string why;
  };
  [[nodiscard]] double value_of(const std::string& name, const Scores& scores) const;

  std::vector<ObjectiveName> objectives_;
  std::vector<Limit> limits_;
  double float_value_ = 0;  // value of the first objective for the float model; 0 if it has none
};

}  // namespace quantsearch
