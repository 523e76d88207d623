#pragma once

// The side of isolated and remote trials that runs them.

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>

#include "quantsearch/internal/trials/executor.h"

namespace quantsearch {

class MessageChannel;

/// Runs what a message asks for and returns the answer. Whatever the executor throws is an answer.
[[nodiscard]] Value answer_request(TrialExecutor& executor, const Value& request,
                                   const CancellationToken& token);

/// The work of a worker process, whose search is at the other end of a socket.
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
