#pragma once

// The first step of a search: its input, checked, and what every process of it works with.

#include <memory>
#include <optional>

#include "autosearch/data_split.h"
#include "quantsearch/pipeline/pipeline.h"
#include "quantsearch/trials/executor.h"

namespace quantsearch {

struct Setup {
  const SearchInput& input;
  const SearchEnvironment& environment;  // with a pool
  Clock::time_point start;
  std::optional<CustomEvaluator> evaluator;
  DataSplit data;
  AutoSearchConfig config;  // as it holds for these data
  ObjectiveName objective;
  std::unique_ptr<Pipeline> pipeline;

  /// The evaluator decides.
  [[nodiscard]] bool is_custom() const { return objective.name == kCustomGoal; }
};

/// Throws InvalidInput for what is wrong with the model, the data or the goals. Input and
/// environment must outlive the result.
[[nodiscard]] Setup prepare(const AutoSearchConfig& config, const SearchInput& input,
                            const SearchEnvironment& environment);

/// The float model with its scores, and what a model has to reach beside it.
struct Baseline {
  Reference reference;
  Scores scores;
  Acceptance acceptance;
  SearchGoals goals;
  double seconds = 0;  // since the start of the search
};
/// `known`: the scores as another process measured them.
[[nodiscard]] Baseline measure_baseline(const Setup& setup,
                                        const std::optional<Scores>& known = std::nullopt);

/// What a search that is continued, and each of its workers, must agree with.
[[nodiscard]] Value fingerprint_of(const Setup& setup);

[[nodiscard]] TrialContext trial_context(const Setup& setup, const Baseline& baseline);
/// In this process or in workers, as the configuration says. Warns when the memory has room for
/// fewer trials than were asked for.
[[nodiscard]] std::unique_ptr<TrialExecutor> make_executor(const Setup& setup,
                                                           const Baseline& baseline);

}  // namespace quantsearch
