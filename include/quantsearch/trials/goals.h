#pragma once

// The goals of a search: the metric that decides, further objectives, and limits that a model must
// satisfy.

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "quantsearch/base/cancellation.h"
#include "quantsearch/evaluate.h"
#include "quantsearch/evaluate/command_evaluator.h"
#include "quantsearch/evaluate/task.h"
#include "quantsearch/model.h"
#include "quantsearch/search/study.h"

namespace quantsearch {

inline constexpr const char* kSizeGoal = "size_bytes";
inline constexpr const char* kLatencyGoal = "latency_ms";
inline constexpr const char* kCustomGoal = "custom";  // the score of a user's evaluator

/// The default tolerances of an evaluator's score, as shares of the float model's. Agreement with
/// the float model is stricter than a score against a truth, because its errors have to be kept
/// too, so that more of it may be lost.
inline constexpr double kToleratedShare = 0.01;
inline constexpr double kToleratedShareOfAgreement = 0.1;

/// A user's own score of a model file, which replaces a metric. What `score` throws makes the trial
/// failed, except PrunedByEvaluator and Cancelled.
struct CustomEvaluator {
  std::function<EvaluatorScores(const std::filesystem::path& model, const CancellationToken& token)>
      score;
  Goal direction = Goal::maximize;
  std::map<std::string, Goal> directions = {};  // of scores with another direction
  /// Called when no model will be scored for some time; may be empty.
  std::function<void()> rest = {};
};

/// Returns the evaluator that runs the program, or the server, which lives as long as it.
[[nodiscard]] CustomEvaluator evaluator_of(const CommandEvaluator& program, const LogSink& log);

/// The scores of an evaluator, a user's or a built-in one, as objectives.
struct ScoreNames {
  /// The score that decides when search_metric names none.
  std::string first = kCustomGoal;
  Goal direction = Goal::maximize;
  std::map<std::string, Goal> directions = {};  // of scores with another direction
  /// Without a tolerance, the share of the float model's score that may be lost.
  double tolerated_share = kToleratedShare;

  [[nodiscard]] Goal direction_of(const std::string& name) const;
};
[[nodiscard]] ScoreNames score_names(const CustomEvaluator& evaluator);
[[nodiscard]] ScoreNames score_names(const TaskConfig& task);

/// True for "custom" and for any name that is neither a metric nor the size or the latency.
[[nodiscard]] bool is_evaluator_score(const std::string& name);

/// Configuration of the objectives, limits and tolerance of a search.
struct GoalConfig {
  Metric metric = Metric::l2;   // search_metric: decides unless an evaluator does
  bool metric_by_data = false;  // search_metric: auto; `metric` becomes top1 where there are labels
  /// search_goal: what the best trial is, among those within tolerance and limits.
  SearchGoal goal = SearchGoal::most_accurate;
  bool latency = true;      // search_latency: models may be timed
  int latency_threads = 1;  // search_latency_threads: of a timed run
  /// The further entries of a list: metrics, "size_bytes", "latency_ms" and scores of the
  /// evaluator. With a score of the evaluator in this list a metric may come first and decide.
  std::vector<std::string> more_objectives = {};
  /// The first entry of search_metric when it is a list or a score of the evaluator, because an
  /// evaluator must not replace a metric that a list names. Empty when search_metric is a single
  /// metric.
  std::string named_first = {};
  /// search_limits: upper limits of "size_bytes", "latency_ms" (of one run, in milliseconds) and
  /// "drop" (the loss against the float model, in units of the metric). nullopt: no limit, not even
  /// the default limit of a latency that is measured.
  std::map<std::string, std::optional<double>> limits = {};
  // search_metric_tolerance; absent: a default rule (docs/metrics.md)
  std::optional<double> tolerance = {};
  std::map<std::string, double> output_weights = {};  // search_metric_output_weights
  // search_evaluator: a program, or a built-in task; at most one of them.
  std::optional<CommandEvaluator> command = {};
  std::optional<TaskConfig> task = {};
  /// search_confirmation: the share of the evaluation data that is held out from trials, in [0, 1).
  /// At the end the best trials are scored on it, and the best of these is delivered.
  double confirmation = 0;
};

/// The name of an objective (a metric, "size_bytes", "latency_ms" or an evaluator's score) and its
/// direction.
struct ObjectiveName {
  std::string name;
  Goal goal = Goal::minimize;
  double tolerated_share = kToleratedShare;  // of an evaluator's score
};
/// Returns the objective that decides: a score of the evaluator if there is one, unless a metric is
/// the first entry of a list that contains a score of the evaluator later.
[[nodiscard]] ObjectiveName objective_of(const GoalConfig& config,
                                         const std::optional<ScoreNames>& evaluator);

/// Throws InvalidInput when the objectives name an evaluator's score and there is none, or when an
/// evaluator would take the place of a metric that a list names.
void require_objectives(const GoalConfig& config, bool has_evaluator);

/// Returns the metrics that are recorded in addition to the objective. They take very little time
/// and make results comparable.
[[nodiscard]] std::vector<Metric> recorded_metrics(const GoalConfig& config, bool has_labels);

/// Returns the scores that the user's evaluator gives to a model, which is written to a temporary
/// file. `objectives`: the first decides; those that are scores of the evaluator must be among its
/// scores. Without any, nothing decides. The score that decides is "custom" unless it has a name.
/// Throws IoError when a score is not finite, is missing, has the name of a metric, or when none of
/// several decides.
[[nodiscard]] std::map<std::string, double> custom_scores(
    const CustomEvaluator& evaluator, const std::vector<std::string>& objectives,
    const Model& model, const CancellationToken& token);

class SearchGoals {
 public:
  /// `first`: the objective that decides between trials. `float_scores`: the scores of the float
  /// model, including its latency if needs_latency().
  SearchGoals(const GoalConfig& config, ObjectiveName first, const Scores& float_scores,
              const std::optional<ScoreNames>& evaluator);

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
