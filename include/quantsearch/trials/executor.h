#pragma once

// What a search asks of whatever runs its trials: this process, or worker processes that may end at
// any time.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "quantsearch/base/byte_budget.h"
#include "quantsearch/base/log.h"
#include "quantsearch/model.h"
#include "quantsearch/pipeline/pipeline.h"
#include "quantsearch/pipeline/settings.h"
#include "quantsearch/search/study.h"
#include "quantsearch/trials/acceptance.h"
#include "quantsearch/trials/goals.h"

namespace quantsearch {

/// A quantized model that came out of a trial.
struct BuiltModel {
  std::shared_ptr<const Model> model;
  Settings settings;  // build the model again, without a search for formats
};

/// What TrialProduct points to when a TrialExecutor ran the trial.
class BuiltProduct {
 public:
  virtual ~BuiltProduct() = default;
  [[nodiscard]] virtual BuiltModel load() const = 0;
  /// Memory that it holds.
  [[nodiscard]] virtual std::int64_t bytes() const = 0;
};

class TrialExecutor {
 public:
  virtual ~TrialExecutor() = default;

  /// Trials that really run at the same time: as many as the memory budget has room for.
  [[nodiscard]] virtual int jobs() const = 0;
  /// Builds and scores; the product of a success is a BuiltProduct. Throws what the stages throw.
  /// Thread-safe for as many trials at the same time as there are jobs.
  [[nodiscard]] virtual TrialOutcome run(const TrialRequest& request) = 0;
  /// The model of a complete trial whose product is not at hand: of an earlier run, of another
  /// process, or too large to keep.
  [[nodiscard]] virtual BuiltModel rebuild(const Trial& trial) = 0;
};

/// The settings of a point.
[[nodiscard]] Settings settings_of(const Settings& base, const Point& point);

/// Trials are given up early by the losses of this metric; at most `error` of those that are as
/// good as the best wrongly so.
struct RaceRule {
  Metric metric = Metric::l2;
  double error = 0;
};

/// What every trial of a search shares. What it refers to outlives the executor.
struct TrialContext {
  const Settings& base;
  const GoalConfig& goal_config;
  Pipeline& pipeline;
  const Reference& reference;
  int jobs;     // trials at the same time
  int threads;  // of all of them together
  const ByteBudget& budget;
  std::int64_t trial_bytes;  // that one trial works with, beside what the caches keep
  const std::optional<CustomEvaluator>& evaluator;
  const Acceptance& acceptance;
  const SearchGoals& goals;
  std::optional<RaceRule> race;
  LogSink log;
  // Of other processes of the search, before a latency is measured.
  std::function<void()> wait_until_alone = {};
};
/// Runs trials in this process.
[[nodiscard]] std::unique_ptr<TrialExecutor> make_trial_runner(const TrialContext& context);

/// How many of the threads job number `job` has: at least one.
[[nodiscard]] int share_of(int threads, int jobs, int job);

/// Median time of one run of one sample, as short as will do: it is measured for every trial.
[[nodiscard]] Latency trial_latency(const Model& model, const Reference& reference,
                                    const CancellationToken& token);

struct IsolationOptions {
  std::vector<std::vector<std::string>> commands;  // one per worker: how it is started
  std::int64_t memory_limit = 0;                   // of one worker, in bytes; 0: none
  Scores float_scores;                             // measured once, for the search and its workers
  Value fingerprint;
  std::filesystem::path folder;  // for models on their way; empty: the system's
  CancellationToken token;
  LogSink log;
};
/// Runs trials in worker processes. Starts the first one, to see that it starts, and throws
/// InvalidInput when it does not.
[[nodiscard]] std::unique_ptr<TrialExecutor> make_isolated_trials(IsolationOptions options);

}  // namespace quantsearch
