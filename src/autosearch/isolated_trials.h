#pragma once

// Trials in processes of their own, so that one that crashes the runtime or takes too much memory is a failed trial and
// not the end of the search. A worker serves trial after trial and keeps its stage cache; one that died is replaced.

#include <mutex>
#include <shared_mutex>
#include <string>
#include <vector>

#include "autosearch/free_places.h"
#include "autosearch/trial_executor.h"
#include "autosearch/trial_worker.h"
#include "quantsearch/base/files.h"
#include "quantsearch/evaluate.h"

namespace quantsearch {

struct IsolationOptions {
  std::vector<std::vector<std::string>> commands;  // one per worker: how it is started
  std::int64_t memory_limit = 0;                   // of one worker, in bytes; 0: none
  Scores float_scores;  // measured once, for the search and its workers
  Value fingerprint;
  std::filesystem::path folder;  // for models on their way; empty: the system's
  CancellationToken token;
  LogSink log;
};

class IsolatedTrials : public TrialExecutor {
 public:
  /// Starts the first worker, to see that it starts. Throws InvalidInput when it does not.
  explicit IsolatedTrials(IsolationOptions options);

  [[nodiscard]] int jobs() const override { return static_cast<int>(options_.commands.size()); }
  /// A trial has failed when it failed in a worker that had run no other before: what an earlier one left behind is not held
  /// against it.
  [[nodiscard]] TrialOutcome run(const TrialRequest& request) override;
  [[nodiscard]] BuiltModel rebuild(const Trial& trial) override;

 private:
  [[nodiscard]] TrialWorker& worker_of(std::size_t place, const CancellationToken& token);
  /// The worker's answer; asks a new worker when one dies that had answered before. Throws WorkerDied.
  [[nodiscard]] Value ask(std::size_t place, const Value& request, const CancellationToken& token, const std::function<void()>& alone);
  [[nodiscard]] std::filesystem::path new_file();

  IsolationOptions options_;
  TemporaryFolder folder_;
  std::vector<std::unique_ptr<TrialWorker>> workers_;  // by place
  FreePlaces free_;                                    // of them
  std::shared_mutex quiet_;                            // held alone while a latency is measured, shared by trials at work
  std::mutex mutex_;
  std::int64_t files_ = 0;
};

}  // namespace quantsearch
