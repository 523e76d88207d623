#pragma once

// One trial: a point becomes a model, the model its scores.

#include <functional>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <optional>
#include <string>
#include <vector>

#include "autosearch/acceptance.h"
#include "autosearch/free_places.h"
#include "autosearch/goals.h"
#include "autosearch/trial_executor.h"
#include "quantsearch/autosearch.h"
#include "quantsearch/base/byte_budget.h"
#include "quantsearch/base/files.h"
#include "quantsearch/base/thread_pool.h"
#include "quantsearch/pipeline/pipeline.h"
#include "quantsearch/pipeline/runnable.h"
#include "quantsearch/search/racing.h"

namespace quantsearch {

/// How many of the threads job number `job` has: at least one.
[[nodiscard]] int share_of(int threads, int jobs, int job);

/// A pool of threads, and memory, for each trial that runs at the same time.
class JobPools {
 public:
  /// Splits the threads over the jobs; each job has at least one. Reserves `trial_bytes` for each: there are fewer pools
  /// than jobs when the budget has no room for all, but at least one.
  JobPools(int jobs, int threads, const ByteBudget& budget, std::int64_t trial_bytes);

  [[nodiscard]] int size() const { return static_cast<int>(pools_.size()); }

  /// A pool nobody else uses while this lives. Waits for one when all are taken.
  class Lease {
   public:
    explicit Lease(JobPools& pools) : pools_(pools), lease_(*pools.free_) {}
    [[nodiscard]] ThreadPool& pool() const { return *pools_.pools_[lease_.place()]; }

   private:
    JobPools& pools_;
    FreePlaces::Lease lease_;
  };

 private:
  std::vector<std::unique_ptr<ThreadPool>> pools_;
  std::vector<ByteBudget::Reservation> memory_;
  std::optional<FreePlaces> free_;  // of them; absent until there are any
};

/// What every trial of a search shares. All outlive the runner.
struct TrialContext {
  const AutoSearchConfig& config;
  Pipeline& pipeline;
  const Reference& reference;
  int jobs;                  // trials at the same time
  int threads;               // of all of them together
  const ByteBudget& budget;
  std::int64_t trial_bytes;  // that one trial works with, beside what the caches keep
  const std::optional<CustomEvaluator>& evaluator;
  const Acceptance& acceptance;
  const SearchGoals& goals;
  std::optional<Metric> race;  // trials are given up early by the losses of this metric
  LogSink log;
  std::function<void()> wait_until_alone = {};  // of other processes of the search, before a latency is measured
};

class TrialRunner : public TrialExecutor {
 public:
  explicit TrialRunner(const TrialContext& context)
      : context_(context), pools_(context.jobs, context.threads, context.budget, context.trial_bytes) {}

  [[nodiscard]] int jobs() const override { return pools_.size(); }
  [[nodiscard]] TrialOutcome run(const TrialRequest& request) override;
  [[nodiscard]] BuiltModel rebuild(const Trial& trial) override;

 private:
  class Product;

  [[nodiscard]] static Product product_of(const Candidate& candidate, Settings settings);
  /// That build the model of a complete trial at once.
  [[nodiscard]] Settings settings_of(const Trial& trial) const;
  [[nodiscard]] EvaluateOptions evaluate_options(const CancellationToken& token) const;
  [[nodiscard]] Scores score(Candidate& candidate, const TrialRequest& request, std::optional<Race>& race, ThreadPool& pool);
  /// The losses of a trial that has run, in an earlier search perhaps; it is scored again when it is not the one that was asked
  /// for last.
  [[nodiscard]] std::vector<double> losses_of(const Trial& incumbent, ThreadPool& pool, const CancellationToken& token);
  [[nodiscard]] TrialPruned pruned(const Candidate& candidate, const Race& race, const Trial& incumbent) const;

  TrialContext context_;
  JobPools pools_;
  std::shared_mutex quiet_;  // held alone while a latency is measured, shared by trials at work
  std::mutex mutex_;
  std::optional<std::int64_t> losses_number_;  // of the trial whose losses these are:
  std::vector<double> losses_;
};

/// The metric whose losses trials race by; nullopt when they do not: it is off, scored otherwise, or there are too few
/// samples to say anything early.
[[nodiscard]] std::optional<Metric> race_metric(const AutoSearchConfig& config, bool is_custom, std::int64_t samples);

/// Median time of one run of one sample, as short as will do: it is measured for every trial.
[[nodiscard]] Latency trial_latency(const Model& model, const Reference& reference, const CancellationToken& token);

/// Metrics recorded beside the objective: they cost next to nothing and let results be compared.
[[nodiscard]] std::vector<Metric> recorded_metrics(const AutoSearchConfig& config, bool has_labels);

/// Score of a model by the user's own evaluator, through a temporary file. Throws IoError when it is not a finite number.
[[nodiscard]] double custom_score(const CustomEvaluator& evaluator, const Model& model, const CancellationToken& token);

}  // namespace quantsearch
