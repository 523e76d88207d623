#pragma once

// The search's side of one worker process that runs trials.

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "quantsearch/base/cancellation.h"
#include "quantsearch/base/log.h"
#include "quantsearch/internal/base/child_process.h"
#include "trials/message_channel.h"

namespace quantsearch {

/// Thrown when a worker has ended; the message is the reason for the record of the trial.
class WorkerDied : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class WorkerHandle {
 public:
  struct Options {
    std::vector<std::string> command;
    std::int64_t memory_limit = 0;  // of the worker's own pages, in bytes; 0: no limit
    Value greeting;                 // the first message
    Value fingerprint;              // of the input, which has to equal that of the worker
    LogSink log;
    double grace_seconds = 5;  // time to answer after a cancellation
  };
  /// Starts the worker and waits until it is ready. Throws WorkerDied; IoError when the fingerprint
  /// of its input differs; and Cancelled.
  WorkerHandle(Options options, const CancellationToken& token);

  /// Sends a request and waits for the answer. `alone` is called when the worker requests to be the
  /// only one running. A cancelled worker has grace_seconds to answer and is killed after that.
  /// Throws WorkerDied when the worker ended or exceeded its memory limit, and Cancelled.
  [[nodiscard]] Value ask(const Value& request, const CancellationToken& token,
                          const std::function<void()>& alone);
  /// Number of requests answered so far.
  [[nodiscard]] int answered() const { return answered_; }
  /// False after the worker has been ended.
  [[nodiscard]] bool is_alive() const { return process_ != nullptr; }

 private:
  WorkerHandle(Options options, const CancellationToken& token, SocketPair conversation);
  /// Returns the next message that is not for the log; nullopt when none arrived within
  /// kMomentMilliseconds.
  [[nodiscard]] std::optional<Value> next_message();
  void send(const Value& message);
  void require_within_memory();
  [[noreturn]] void die(const std::string& reason);

  Options options_;
  MessageChannel channel_;
  std::unique_ptr<ChildProcess> process_;
  int answered_ = 0;
};

}  // namespace quantsearch
