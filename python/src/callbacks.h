#pragma once

// Calls from the library into Python. Functions of the user that report something (log, progress)
// are never called from the threads of the library: these put events into a queue, and the thread
// that called from Python takes them out. So no thread waits for the interpreter while it holds a
// lock.

#include <nanobind/nanobind.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <string>

#include "quantsearch/autosearch.h"
#include "quantsearch/base/cancellation.h"
#include "quantsearch/base/log.h"
#include "quantsearch/base/value.h"
#include "quantsearch/trials/goals.h"
#include "quantsearch/trials/remote.h"

namespace quantsearch::python {

/// Something that happened in a call: a log line or the progress of a search.
struct Event {
  std::string kind;
  Value content;
};

class EventQueue {
 public:
  void put(Event event);
  /// The work has ended: take() returns at once from now on.
  void close();
  /// Waits until there are events, the queue is closed or `timeout` has passed.
  [[nodiscard]] std::deque<Event> take(std::chrono::milliseconds timeout);
  [[nodiscard]] bool is_closed();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Event> events_;
  bool is_closed_ = false;
};

/// A sink that queues lines as events {level, line} of the kind "log".
[[nodiscard]] LogSink log_to(EventQueue& queue);

/// Calls of a Python evaluator that are running. All members need the interpreter, which also makes
/// them exclusive.
class EvaluatorCalls {
  struct Call {
    unsigned long thread = 0;  // as Python numbers them
    CancellationToken token = {};
    bool is_interrupted = false;
  };

 public:
  /// Registers a call on this thread until the object is destroyed.
  class Scope {
   public:
    Scope(EvaluatorCalls& calls, const CancellationToken& token);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    EvaluatorCalls& calls_;
    std::list<Call>::iterator call_;
  };
  /// Raises KeyboardInterrupt once in each call whose token is cancelled: by Ctrl-C, by an
  /// exception of the progress callback, or by a time limit. It takes effect at the next Python
  /// instruction.
  void interrupt_cancelled();

 private:
  std::list<Call> calls_;
};

/// A call of the library, while its work runs on another thread.
struct WatchedCall {
  EventQueue queue = {};
  CancellationToken token = {};
  EvaluatorCalls evaluators = {};
};

/// What happened while work was watched.
struct Watched {
  bool interrupted = false;  // by Ctrl-C
  // Thrown by the work; null when it succeeded.
  std::exception_ptr failure = nullptr;
};
/// Runs `work` on a thread of its own, without the interpreter, and calls `on_event(kind, content)`
/// on this thread meanwhile. Ctrl-C cancels the token of `call`; so does an exception of
/// `on_event`, which is raised when the work has ended. Called with the interpreter held.
[[nodiscard]] Watched watch(const std::function<void()>& work, WatchedCall& call,
                            nanobind::handle on_event);
/// The same for work whose failure is raised, and that Ctrl-C ends with KeyboardInterrupt.
void run_interruptibly(const std::function<void()>& work, WatchedCall& call,
                       nanobind::handle on_event);

/// An evaluator that calls `evaluator(path)`, registered in `calls` meanwhile. It returns a score,
/// a dict of scores by name, or a pair (kind, text) with kind "failed", "pruned" or "cancelled".
/// Its attribute `direction` is "maximize", "minimize", or a dict of these by the name of a score.
[[nodiscard]] CustomEvaluator evaluator_of(nanobind::object evaluator, EvaluatorCalls& calls);

/// The command of a worker process, from a function (threads, bytes of memory, device) -> words.
using WorkerCommand = decltype(SearchEnvironment::worker_command);
[[nodiscard]] WorkerCommand worker_command_of(nanobind::object command);

/// The transport of a Python object with `begin(greeting)`, and with `ask(request, is_cancelled)`,
/// `take(is_cancelled)` and `leave(place)`, which are called from several threads. Messages are
/// dicts; `is_cancelled()` says whether the answer is still wanted.
[[nodiscard]] RemoteTrials remote_of(nanobind::object transport);

}  // namespace quantsearch::python
