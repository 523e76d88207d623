#pragma once

// Runs trials in separate processes, so that one that crashes the runtime or takes too much memory
// is a failed trial and does not end the search. A worker serves one trial after another and keeps
// its stage cache; a worker that died is replaced.

#include <mutex>
#include <shared_mutex>
#include <string>
#include <vector>

#include "quantsearch/internal/base/files.h"
#include "quantsearch/internal/trials/executor.h"
#include "trials/slot_pool.h"
#include "trials/worker_handle.h"

namespace quantsearch {

class IsolatedTrials final : public TrialExecutor {
 public:
  /// Starts the first worker as a check. Throws InvalidInput when it does not start.
  explicit IsolatedTrials(IsolationOptions options);

  [[nodiscard]] int jobs() const override { return static_cast<int>(options_.commands.size()); }
  /// A trial whose worker dies counts as failed only if that worker had not run another trial
  /// before; otherwise it is run again in a new worker, because an earlier trial may be the cause.
  [[nodiscard]] TrialOutcome run(const TrialRequest& request) override;
  [[nodiscard]] BuiltModel rebuild(const Trial& trial) override;

 private:
  [[nodiscard]] WorkerHandle& worker_of(std::size_t slot, const CancellationToken& token);
  /// Returns the answer of a worker. When a worker dies that had answered before, a new one is
  /// asked. Throws WorkerDied.
  [[nodiscard]] Value ask(std::size_t slot, const Value& request, const CancellationToken& token,
                          const std::function<void()>& alone);
  [[nodiscard]] std::filesystem::path new_file();

  IsolationOptions options_;
  TemporaryFolder folder_;
  std::vector<std::unique_ptr<WorkerHandle>> workers_;  // by slot
  SlotPool free_;                                       // slots of workers_ that are not in use
  // Held exclusively while a latency is measured, and shared by running trials.
  std::shared_mutex latency_gate_;
  std::mutex mutex_;
  std::int64_t files_ = 0;
};

}  // namespace quantsearch
