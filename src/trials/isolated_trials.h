#pragma once

// Trials in processes of their own, so that one that crashes the runtime or takes too much memory
// is a failed trial and not the end of the search. A worker serves trial after trial and keeps its
// stage cache; one that died is replaced.

#include <mutex>
#include <shared_mutex>
#include <string>
#include <vector>

#include "quantsearch/base/files.h"
#include "quantsearch/trials/executor.h"
#include "trials/slot_pool.h"
#include "trials/worker_handle.h"

namespace quantsearch {

class IsolatedTrials final : public TrialExecutor {
 public:
  /// Starts the first worker, to see that it starts. Throws InvalidInput when it does not.
  explicit IsolatedTrials(IsolationOptions options);

  [[nodiscard]] int jobs() const override { return static_cast<int>(options_.commands.size()); }
  /// A trial has failed when it failed in a worker that had run no other before: what an earlier
  /// one left behind is not held against it.
  [[nodiscard]] TrialOutcome run(const TrialRequest& request) override;
  [[nodiscard]] BuiltModel rebuild(const Trial& trial) override;

 private:
  [[nodiscard]] WorkerHandle& worker_of(std::size_t slot, const CancellationToken& token);
  /// The worker's answer; asks a new worker when one dies that had answered before. Throws
  /// WorkerDied.
  [[nodiscard]] Value ask(std::size_t slot, const Value& request, const CancellationToken& token,
                          const std::function<void()>& alone);
  [[nodiscard]] std::filesystem::path new_file();

  IsolationOptions options_;
  TemporaryFolder folder_;
  std::vector<std::unique_ptr<WorkerHandle>> workers_;  // by slot
  SlotPool free_;                                       // of them
  // Held alone while a latency is measured, shared by trials at work.
  std::shared_mutex latency_gate_;
  std::mutex mutex_;
  std::int64_t files_ = 0;
};

}  // namespace quantsearch
