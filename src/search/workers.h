#pragma once

// Threads that run trials for a search; finished ones come back through a queue.

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "search/run_trial.h"

namespace quantsearch {

/// With one job trials run on the calling thread, inside submit(). The destructor waits for running
/// trials; their token is to be cancelled before.
class Workers {
 public:
  using Run = std::function<void(TrialRun& run)>;

  Workers(int jobs, Run run);
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  void submit(TrialRun run);
  /// The next finished trial; waits for it. There must be one running or finished.
  [[nodiscard]] TrialRun next_finished();
  /// Trials submitted and not yet handed back.
  [[nodiscard]] int outstanding() const { return outstanding_; }
  /// Forgets trials that no thread has begun.
  void drop_waiting();

 private:
  void work();

  Run run_;
  int outstanding_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<TrialRun> waiting_;
  std::deque<TrialRun> finished_;
  bool quit_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace quantsearch
