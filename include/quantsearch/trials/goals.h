#pragma once

// What a search wants: the metric that decides, other objectives beside it, and limits that a model
// must keep.

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "quantsearch/base/cancellation.h"
#include "quantsearch/evaluate.h"
#include "quantsearch/model.h"
#include "quantsearch/search/study.h"

namespace quantsearch {

inline constexpr const char* kSizeGoal = "size_bytes";
inline constexpr const char* kLatencyGoal = "latency_ms";
inline constexpr const char* kCustomGoal = "custom";  // the score of the user's evaluator

/// A user's own score of a model file, in place of a metric.
struct CustomEvaluator {
  std::function<double(const std::filesystem::path& model, const CancellationToken& token)> score;
  Goal direction = Goal::maximize;
};

/// What makes one model better than another, and which are good enough.
struct GoalConfig {
  Metric metric = Metric::l2;  // search_metric: what decides, unless an evaluator does
  /// The others of a list: metrics, "size_bytes", "latency_ms", and "custom" (the evaluator's
  /// score), which makes the metric decide although there is an evaluator.
  std::vector<std::string> more_objectives = {};
  /// What search_metric names first, where it is a list or "custom": an evaluator takes the place
  /// of no metric that a list names. Empty: a metric alone.
  std::string named_first = {};
  /// search_limits: most of "size_bytes", "latency_ms" (of one run, in milliseconds), "drop"
  /// (against the float model, in units of the metric); nullopt: no limit, not even the one that
  /// goes with a latency that is measured.
  std::map<std::string, std::optional<double>> limits = {};
  // search_metric_tolerance; absent: a default rule (docs/metrics.md)
  std::optional<double> tolerance = {};
  std::map<std::string, double> output_weights = {};  // search_metric_output_weights
  std::optional<CommandEvaluator> command = {};       // search_evaluator
  /// search_confirmation: share of the evaluation data that no trial sees; the best trials are
  /// judged on it in the end and the best there is delivered. In [0, 1).
  double confirmation = 0;
};

/// What a search optimizes: a metric, or "custom".
struct ObjectiveName {
  std::string name;
  Goal goal = Goal::minimize;
};
/// The evaluator's score, unless the metric heads a list that names the score later.
[[nodiscard]] ObjectiveName objective_of(const GoalConfig& config,
                                         const std::optional<CustomEvaluator>& evaluator);

/// Throws InvalidInput when the objectives name an evaluator's score and there is none, or when an
/// evaluator would take the place of a metric that a list names.
void require_objectives(const GoalConfig& config, bool has_evaluator);

/// Metrics recorded beside the objective: they cost next to nothing and let results be compared.
[[nodiscard]] std::vector<Metric> recorded_metrics(const GoalConfig& config, bool has_labels);

/// Score of a model by the user's own evaluator, through a temporary file. Throws IoError when it
/// is not a finite number.
[[nodiscard]] double custom_score(const CustomEvaluator& evaluator, const Model& model,
                                  const CancellationToken& token);

class SearchGoals {
 public:
  /// `first`: what decides between trials. `float_scores`: of the float model, its latency where
  /// needs_latency(). `evaluator`: may be null.
  SearchGoals(const GoalConfig& config, ObjectiveName first, const Scores& float_scores,
              const CustomEvaluator* evaluator);

  /// True when a model's latency is an objective or has a limit: then it is measured for every
  /// trial.
  [[nodiscard]] static bool needs_latency(const GoalConfig& config);

  [[nodiscard]] const std::vector<ObjectiveName>& objectives() const { return objectives_; }
  [[nodiscard]] std::vector<Goal> goals() const;
  [[nodiscard]] std::vector<std::string> names() const;
  [[nodiscard]] std::vector<std::string> limit_names() const;
  /// "latency_ms at most 3.2 (the float model's)", one for each limit.
  [[nodiscard]] std::vector<std::string> rules() const;

  /// One value for each objective; empty when there is only the first.
  [[nodiscard]] std::vector<double> values(const Scores& scores) const;
  /// One for each limit: how far beyond it, as a share of it; at most 0 when it is kept.
  [[nodiscard]] std::vector<double> violations(const Scores& scores) const;

 private:
  struct Limit {
    std::string name;
    double most = 0;  // of size, latency, or the loss against the float model
    std::string why;
  };
  [[nodiscard]] double value_of(const std::string& name, const Scores& scores) const;

  std::vector<ObjectiveName> objectives_;
  std::vector<Limit> limits_;
  double float_value_ = 0;  // of the first objective, where the float model has one
};

}  // namespace quantsearch
