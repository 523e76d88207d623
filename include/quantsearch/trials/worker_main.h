#pragma once

// The other side of isolated trials: what a worker process does.

#include <functional>
#include <memory>

#include "quantsearch/trials/executor.h"

namespace quantsearch {

class WorkerMain {
 public:
  /// `socket`: an open socket to the search; its owner from now on.
  explicit WorkerMain(int socket);
  ~WorkerMain();

  /// Lines go to the search's log, once trials are served: what is said before, the search says
  /// itself.
  [[nodiscard]] LogSink log();
  /// The scores of the float model, as the search measured them: its first message.
  [[nodiscard]] Scores float_scores();
  /// Answers requests until the search closes the socket. `on_closed` is called then, before a
  /// trial that still runs is cancelled: a runtime may not hear of it, so that a process may want
  /// to set itself a time limit.
  void serve(TrialExecutor& executor, const Value& fingerprint,
             const std::function<void()>& on_closed);
  /// Waits until no other process of the search is at work.
  void wait_until_alone();

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace quantsearch
