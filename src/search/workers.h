#pragma once

// Threads that run the trials of a search and return finished ones through a queue.

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "search/run_trial.h"
#include "search/stage_places.h"

namespace quantsearch {

/// With one job trials run on the calling thread, inside submit(). The destructor waits for running
/// trials; the caller has to cancel their token before.
class Workers {
 public:
  using Run = std::function<void(TrialRun& run)>;

  /// With several jobs and places, every trial is run at one of them. When the token is cancelled
  /// no thread waits for a place any more.
  Workers(int jobs, Run run, std::optional<Places> places = {}, CancellationToken token = {});
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  void submit(TrialRun run);
  /// Waits for the next finished trial and returns it. At least one trial must be running or
  /// finished.
  [[nodiscard]] TrialRun next_finished();
  /// Number of trials submitted and not yet returned.
  [[nodiscard]] int outstanding() const { return outstanding_; }
  /// Drops the trials that no thread has begun.
  void drop_waiting();

 private:
  void work();
  [[nodiscard]] std::optional<std::int64_t> take_place() const;
  /// The trial to run at a place; nullopt when other threads have taken all.
  [[nodiscard]] std::optional<TrialRun> next_waiting(std::optional<std::int64_t> place);

  Run run_;
  std::optional<Places> places_;
  CancellationToken token_;
  int outstanding_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<TrialRun> waiting_;
  std::deque<TrialRun> finished_;
  StagePlaces stage_places_;
  bool quit_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace quantsearch
