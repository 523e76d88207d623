#pragma once

// One process that runs trials for a search, as the search sees it.

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "quantsearch/base/cancellation.h"
#include "quantsearch/base/child_process.h"
#include "quantsearch/base/log.h"
#include "trials/message_channel.h"

namespace quantsearch {

/// Why a worker is no more: in words for the trial's record.
class WorkerDied : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class WorkerHandle {
 public:
  struct Options {
    std::vector<std::string> command;
    std::int64_t memory_limit = 0;  // of its own pages, in bytes; 0: none
    Value greeting;                 // the first message
    Value fingerprint;              // of the work that it has to agree on
    LogSink log;
    double grace_seconds = 5;  // for an answer after it was cancelled
  };
  /// Starts it and waits until it is ready. Throws WorkerDied, IoError when it works on something
  /// else, Cancelled.
  WorkerHandle(Options options, const CancellationToken& token);

  /// Sends a request and waits for its answer. `alone` is called when the worker asks to be the
  /// only one at work. A cancelled worker has its grace to answer, then it is killed. Throws
  /// WorkerDied when it ended or took more memory than its limit, Cancelled.
  [[nodiscard]] Value ask(const Value& request, const CancellationToken& token,
                          const std::function<void()>& alone);
  /// Requests answered so far.
  [[nodiscard]] int answered() const { return answered_; }
  /// False once it was ended: it answers no more.
  [[nodiscard]] bool is_alive() const { return process_ != nullptr; }

 private:
  WorkerHandle(Options options, const CancellationToken& token, SocketPair conversation);
  /// The next message that is not for the log; nullopt when none came for a moment.
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
