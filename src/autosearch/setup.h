#pragma once

// The first step of a search: checks its input and makes the objects that every process of the
// search uses.

#include <memory>
#include <optional>

#include "autosearch/data_split.h"
#include "quantsearch/internal/trials/executor.h"
#include "quantsearch/pipeline/pipeline.h"

namespace quantsearch {

/// True when trials run in worker processes.
[[nodiscard]] bool needs_workers(const ExecutionConfig& execution);

struct Setup {
  const SearchInput& input;
  const SearchEnvironment& environment;  // with a pool
  Clock::time_point start;
  std::optional<CustomEvaluator> evaluator;  // of the user; absent for a built-in task
  std::shared_ptr<const Task> task;          // null without one
  DataSplit data;
  AutoSearchConfig config;  // adapted to these data
  ObjectiveName objective;
  std::unique_ptr<Pipeline> pipeline;

  /// The order of the trials.
  [[nodiscard]] Ranking ranking() const { return {objective.goal, config.goals.goal}; }
  /// True when the evaluator decides.
  [[nodiscard]] bool is_custom() const { return is_evaluator_score(objective.name); }
};

/// Throws InvalidInput for an error in the model, the data or the goals. Input and environment must
/// outlive the result.
[[nodiscard]] Setup prepare(const AutoSearchConfig& config, const SearchInput& input,
                            const SearchEnvironment& environment);

/// The float model with its scores, and the acceptance rule and goals that follow from them.
struct Baseline {
  Reference reference;
  Scores scores;
  Acceptance acceptance;
  SearchGoals goals;
  double seconds = 0;  // since the start of the search
};
/// `known`: the scores if another process has measured them.
[[nodiscard]] Baseline measure_baseline(const Setup& setup,
                                        const std::optional<Scores>& known = std::nullopt);

/// True when the time limit was over before the first trial.
[[nodiscard]] bool has_used_up_time(const Setup& setup, const Baseline& baseline);

enum class TaskSamples { evaluation, confirmation };
/// Returns the task of the configuration over these samples; null when there is none.
[[nodiscard]] std::shared_ptr<const Task> task_over(const AutoSearchConfig& config,
                                                    const Model& float_model, const DataSplit& data,
                                                    TaskSamples samples);

/// Returns the fingerprint that a continued search and each of its workers must match.
[[nodiscard]] Value fingerprint_of(const Setup& setup);

/// True when a trial may be stopped because of the incumbent.
[[nodiscard]] bool compares_with_incumbent(const Setup& setup);

[[nodiscard]] TrialContext trial_context(const Setup& setup, const Baseline& baseline);
/// Returns an executor in this process or in workers, as the configuration says. Warns when the
/// memory budget allows fewer trials than requested.
[[nodiscard]] std::unique_ptr<TrialExecutor> make_executor(const Setup& setup,
                                                           const Baseline& baseline);

}  // namespace quantsearch
