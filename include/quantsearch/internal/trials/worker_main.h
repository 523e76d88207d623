#pragma once

// The worker's side of isolated trials.

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>

#include "quantsearch/internal/trials/executor.h"

namespace quantsearch {

class MessageChannel;

class WorkerMain {
 public:
  /// `socket`: an open socket to the search. The object takes ownership.
  explicit WorkerMain(int socket);
  ~WorkerMain();

  /// Returns a sink that sends lines to the log of the search. Lines before serve() are dropped,
  /// because the search logs the same itself.
  [[nodiscard]] LogSink log();
  /// Receives the first message of the search: the scores of the float model that it measured.
  [[nodiscard]] Scores float_scores();
  /// Answers requests until the search closes the socket. `on_closed` is called then, before a
  /// running trial is cancelled. A runtime may not react to the cancellation, so the process can
  /// use the callback to set itself a time limit.
  void serve(TrialExecutor& executor, const Value& fingerprint,
             const std::function<void()>& on_closed);
  /// Waits until no other process of the search is running a trial.
  void wait_until_alone();

 private:
  void reply(const Value& message);

  std::unique_ptr<MessageChannel> channel_;
  std::atomic<bool> is_serving_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_alone_ = false;
  bool is_closed_ = false;
};

}  // namespace quantsearch
