#pragma once

// Runs a trial: builds the model of a point and scores it.

#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <vector>

#include "quantsearch/base/byte_budget.h"
#include "quantsearch/base/thread_pool.h"
#include "quantsearch/internal/evaluate/latency_check.h"
#include "quantsearch/internal/search/racing.h"
#include "quantsearch/internal/trials/executor.h"
#include "quantsearch/pipeline/pipeline.h"
#include "quantsearch/search/trial_details.h"
#include "trials/slot_pool.h"

namespace quantsearch {

/// A thread pool and memory for each trial that runs at the same time.
class JobPools {
 public:
  /// Divides the threads among the jobs; each job has at least one. Reserves `trial_bytes` for each
  /// job. When the budget does not suffice for all jobs there are fewer pools, but at least one.
  JobPools(int jobs, int threads, const ByteBudget& budget, std::int64_t trial_bytes);

  [[nodiscard]] int size() const { return static_cast<int>(pools_.size()); }

  /// Exclusive use of a pool during the lifetime of the lease. Waits when all are taken.
  class Lease {
   public:
    explicit Lease(JobPools& pools) : pools_(pools), lease_(*pools.free_) {}
    [[nodiscard]] ThreadPool& pool() const { return *pools_.pools_[lease_.slot()]; }

   private:
    JobPools& pools_;
    SlotPool::Lease lease_;
  };

 private:
  std::vector<std::unique_ptr<ThreadPool>> pools_;
  std::vector<ByteBudget::Reservation> memory_;
  // Slots of pools_ that are not in use; absent until the pools exist.
  std::optional<SlotPool> free_;
};

class TrialRunner final : public TrialExecutor {
 public:
  explicit TrialRunner(const TrialContext& context)
      : context_(context),
        pools_(context.jobs, context.threads, context.budget, context.trial_bytes) {}

  [[nodiscard]] int jobs() const override { return pools_.size(); }
  [[nodiscard]] TrialOutcome run(const TrialRequest& request) override;
  [[nodiscard]] BuiltModel rebuild(const Trial& trial) override;

 private:
  class Product;

  [[nodiscard]] TrialOutcome build_and_score(const TrialRequest& request);
  [[nodiscard]] static Product product_of(const Candidate& candidate, Settings settings);
  /// Returns settings that build the model of a complete trial without failing attempts.
  [[nodiscard]] Settings settings_of(const Trial& trial) const;
  [[nodiscard]] EvaluateOptions evaluate_options(const CancellationToken& token) const;
  [[nodiscard]] Scores score(Candidate& candidate, const TrialRequest& request,
                             std::optional<Race>& race, ThreadPool& pool);
  /// Returns the losses of a trial that has run, possibly in an earlier search. It is scored again
  /// unless it is the trial of the previous call.
  [[nodiscard]] std::vector<double> losses_of(const Trial& incumbent, ThreadPool& pool,
                                              const CancellationToken& token);
  /// Adds the latency beside the float model to the details of a candidate.
  void measure_speed(const Model& quantized, TrialDetails& details, const CancellationToken& token);
  /// Makes the evaluation end once the tolerance cannot be met any more.
  void stop_beyond_tolerance(EvaluateOptions& options) const;
  [[nodiscard]] TrialPruned beyond_tolerance(const Candidate& candidate) const;
  [[nodiscard]] TrialPruned pruned(const Candidate& candidate, const Race& race,
                                   const Trial& incumbent) const;

  TrialContext context_;
  JobPools pools_;
  // Held exclusively while a latency is measured, and shared by running trials.
  std::shared_mutex latency_gate_;
  std::optional<LatencyCheck> latency_check_;  // used under the exclusive gate
  std::mutex mutex_;
  std::optional<std::int64_t> losses_number_;  // number of the trial that losses_ belong to
  std::vector<double> losses_;
};

}  // namespace quantsearch
