#pragma once

// The interface through which a search runs its trials, in this process or in worker processes that
// may end at any time.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "quantsearch/base/byte_budget.h"
#include "quantsearch/base/log.h"
#include "quantsearch/evaluate/paired_latency.h"
#include "quantsearch/internal/trials/acceptance.h"
#include "quantsearch/model.h"
#include "quantsearch/pipeline/pipeline.h"
#include "quantsearch/pipeline/settings.h"
#include "quantsearch/search/study.h"
#include "quantsearch/search/trial_details.h"
#include "quantsearch/trials/goals.h"
#include "quantsearch/trials/remote.h"

namespace quantsearch {

/// A quantized model that came out of a trial.
struct BuiltModel {
  std::shared_ptr<const Model> model;
  Settings settings;  // settings that build the model again, without a search for formats
};

/// What TrialProduct points to when a TrialExecutor ran the trial.
class BuiltProduct {
 public:
  virtual ~BuiltProduct() = default;
  [[nodiscard]] virtual BuiltModel load() const = 0;
  /// The memory that it holds, in bytes.
  [[nodiscard]] virtual std::int64_t bytes() const = 0;
};

class TrialExecutor {
 public:
  virtual ~TrialExecutor() = default;

  /// The number of trials that can run at the same time, which the memory budget may limit.
  [[nodiscard]] virtual int jobs() const = 0;
  /// Builds and scores a model; the product of a success is a BuiltProduct. Throws what the stages
  /// throw. Thread-safe for up to jobs() trials at the same time.
  [[nodiscard]] virtual TrialOutcome run(const TrialRequest& request) = 0;
  /// Returns the model of a complete trial whose product is not available: it is of an earlier run
  /// or of another process, or it was too large to keep.
  [[nodiscard]] virtual BuiltModel rebuild(const Trial& trial) = 0;
  /// The places where trials run, when they do not share their stages.
  [[nodiscard]] virtual std::optional<Places> places() const { return std::nullopt; }
};

/// Returns the settings of a point: `base` with the values of the point.
[[nodiscard]] Settings settings_of(const Settings& base, const Point& point);

/// The rule for stopping trials early by the losses of a metric. `error`: the largest share of the
/// trials as good as the best that may be stopped by mistake.
struct RaceRule {
  Metric metric = Metric::l2;
  double error = 0;
  /// True: the metric does not decide which trial is the best, so only those are stopped that
  /// cannot come within the tolerance, once a trial has. `error` has no effect, because that is
  /// certain.
  bool to_tolerance = false;
};

/// The data that all trials of a search share. The references must outlive the executor.
struct TrialContext {
  const Settings& base;
  const GoalConfig& goal_config;
  const Model& float_model;
  Pipeline& pipeline;
  const Reference& reference;
  int jobs;     // trials at the same time
  int threads;  // total of all trials
  const ByteBudget& budget;
  std::int64_t trial_bytes;  // working memory of one trial, without the caches
  const std::optional<CustomEvaluator>& evaluator;
  const Acceptance& acceptance;
  const SearchGoals& goals;
  std::optional<RaceRule> race;
  LogSink log;
  // Waits until no other process of the search is running a trial; called before a latency is
  // measured.
  std::function<void()> wait_until_alone = {};
};
/// Runs trials in this process.
[[nodiscard]] std::unique_ptr<TrialExecutor> make_trial_runner(const TrialContext& context);

/// Returns the number of threads of job number `job`, at least one.
[[nodiscard]] int share_of(int threads, int jobs, int job);

/// Measures the latency of one run with one sample on the reference's device. The measurement is
/// short, because it is made for every trial.
[[nodiscard]] Latency trial_latency(const Model& model, const Reference& reference,
                                    const CancellationToken& token);

/// What a trial records of a latency beside the float model.
[[nodiscard]] LatencyRatio to_ratio(const PairedLatency& latency);

struct IsolationOptions {
  std::vector<std::vector<std::string>> commands;  // the command line of each worker
  std::int64_t memory_limit = 0;                   // of one worker, in bytes; 0: none
  Scores float_scores;  // measured once by the search for itself and its workers
  Value fingerprint;
  // For models that workers return; empty: the system's temporary folder.
  std::filesystem::path folder;
  CancellationToken token;
  LogSink log;
};
/// Runs trials in worker processes. Starts the first worker immediately as a check, and throws
/// InvalidInput when it does not start.
[[nodiscard]] std::unique_ptr<TrialExecutor> make_isolated_trials(IsolationOptions options);

struct RemoteOptions {
  RemoteTrials trials;
  int jobs = 1;
  Scores float_scores;
  Value fingerprint;
  CancellationToken token;  // of the search; cancelled when there are no hosts any more
  LogSink log;
  /// Makes an executor in this process, which builds a model again that no host can build.
  std::function<std::unique_ptr<TrialExecutor>()> make_local;
};
/// Runs trials through `trials`, whose hosts begin here.
[[nodiscard]] std::unique_ptr<TrialExecutor> make_remote_trials(RemoteOptions options);

/// What a host needs from the search: the greeting of RemoteTrials::begin.
struct RemoteGreeting {
  Scores float_scores;
  Value fingerprint;
};
[[nodiscard]] RemoteGreeting greeting_of(const Value& message);

}  // namespace quantsearch
