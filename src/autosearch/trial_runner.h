#pragma once

// One trial: a point becomes a model, the model its scores.

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>
#include <optional>
#include <string>
#include <vector>

#include "autosearch/acceptance.h"
#include "autosearch/free_places.h"
#include "autosearch/goals.h"
#include "autosearch/trial_host.h"
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

class TrialRunner : public TrialHost {
 public:
  explicit TrialRunner(const TrialContext& context)
      : context_(context), pools_(context.jobs, context.threads, context.budget, context.trial_bytes) {}

  [[nodiscard]] int jobs() const override { return pools_.size(); }
  [[nodiscard]] TrialOutcome run(const Point& point, std::int64_t number, const CancellationToken& token) override;
  void set_rival(std::int64_t number, const Trial* best) override;
  [[nodiscard]] Made made(const Point& point) override;
  void forget(const Point& point) override;

 private:
  /// Builds a model that `run` can run, and remembers what had to stay float for that.
  [[nodiscard]] RunnableCandidate build(const Point& point, const std::function<void(Candidate&)>& run, ThreadPool* pool,
                                        const CancellationToken& token);
  /// The same model again. A point that another process has run, before a resume perhaps, is tried on one sample.
  [[nodiscard]] RunnableCandidate build_again(const Point& point, ThreadPool* pool, const CancellationToken& token);
  [[nodiscard]] std::shared_ptr<const QuantizedModel> model_of(const Point& point);
  /// That build the point's model at once; nullopt until it has been built here.
  [[nodiscard]] std::optional<Settings> known_settings(const Point& point) const;
  /// A trial to be beaten; its losses once they are known.
  struct Rival {
    std::int64_t number = 0;
    Point point;
  };
  [[nodiscard]] EvaluateOptions evaluate_options(const CancellationToken& token) const;
  [[nodiscard]] Scores score(Candidate& candidate, const std::optional<Rival>& rival, std::optional<Race>& race, ThreadPool& pool,
                             const CancellationToken& token);
  [[nodiscard]] std::optional<Rival> take_rival(std::int64_t number);
  /// Of a trial that has run, in an earlier search perhaps: then it is scored again.
  [[nodiscard]] std::vector<double> losses_of(const Rival& rival, ThreadPool& pool, const CancellationToken& token);
  [[nodiscard]] TrialPruned pruned(const Candidate& candidate, const Race& race, const Rival& rival) const;

  TrialContext context_;
  JobPools pools_;
  std::shared_mutex quiet_;  // held alone while a latency is measured, shared by trials at work
  // Models of trials that have run and are not yet reported.
  mutable std::mutex mutex_;
  std::unordered_map<Key, std::shared_ptr<const QuantizedModel>> recent_;  // by the key of the point
  std::unordered_map<Key, std::vector<LeftFloat>> left_float_;  // of points whose models are known to run
  std::map<std::int64_t, Rival> rivals_;  // of trials that have not begun
  std::optional<Rival> known_rival_;      // whose losses are these:
  std::vector<double> known_losses_;
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
