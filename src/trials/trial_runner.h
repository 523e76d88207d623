#pragma once

// One trial: a point becomes a model, the model its scores.

#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <vector>

#include "quantsearch/base/byte_budget.h"
#include "quantsearch/base/thread_pool.h"
#include "quantsearch/pipeline/pipeline.h"
#include "quantsearch/search/racing.h"
#include "quantsearch/trials/executor.h"
#include "trials/slot_pool.h"

namespace quantsearch {

/// A pool of threads, and memory, for each trial that runs at the same time.
class JobPools {
 public:
  /// Splits the threads over the jobs; each job has at least one. Reserves `trial_bytes` for each:
  /// there are fewer pools than jobs when the budget has no room for all, but at least one.
  JobPools(int jobs, int threads, const ByteBudget& budget, std::int64_t trial_bytes);

  [[nodiscard]] int size() const { return static_cast<int>(pools_.size()); }

  /// A pool nobody else uses while this lives. Waits for one when all are taken.
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
  std::optional<SlotPool> free_;  // of them; absent until there are any
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

  [[nodiscard]] static Product product_of(const Candidate& candidate, Settings settings);
  /// That build the model of a complete trial at once.
  [[nodiscard]] Settings settings_of(const Trial& trial) const;
  [[nodiscard]] EvaluateOptions evaluate_options(const CancellationToken& token) const;
  [[nodiscard]] Scores score(Candidate& candidate, const TrialRequest& request,
                             std::optional<Race>& race, ThreadPool& pool);
  /// The losses of a trial that has run, in an earlier search perhaps; it is scored again when it
  /// is not the one that was asked for last.
  [[nodiscard]] std::vector<double> losses_of(const Trial& incumbent, ThreadPool& pool,
                                              const CancellationToken& token);
  [[nodiscard]] TrialPruned pruned(const Candidate& candidate, const Race& race,
                                   const Trial& incumbent) const;

  TrialContext context_;
  JobPools pools_;
  // Held alone while a latency is measured, shared by trials at work.
  std::shared_mutex latency_gate_;
  std::mutex mutex_;
  std::optional<std::int64_t> losses_number_;  // of the trial whose losses these are:
  std::vector<double> losses_;
};

}  // namespace quantsearch
