#include "callbacks.h"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>
#include <unistd.h>

#include <future>
#include <map>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "values.h"
#include "wording.h"

namespace nb = nanobind;

namespace quantsearch::python {

namespace {

// How long Ctrl-C may go unnoticed.
constexpr std::chrono::milliseconds kPoll{50};

/// The user's evaluator failed. It is not an Error, which would be taken for one of the runtime.
class EvaluatorFailed : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A Python object that may be released by any thread.
std::shared_ptr<nb::object> held(nb::object object) {
  return {new nb::object(std::move(object)), [](nb::object* last) {
            const nb::gil_scoped_acquire acquired;
            const std::unique_ptr<nb::object> owned(last);
          }};
}

std::map<std::string, double> scores_by_name(const nb::dict& result) {
  std::map<std::string, double> scores;
  for (const auto& [name, score] : result)
    scores[nb::cast<std::string>(name)] = nb::cast<double>(score);
  return scores;
}

EvaluatorScores scores_of(const nb::object& result) {
  if (nb::isinstance<nb::dict>(result)) return scores_by_name(nb::borrow<nb::dict>(result));
  if (!nb::isinstance<nb::tuple>(result)) return nb::cast<double>(result);
  const auto kind = nb::cast<std::string>(result[0]);
  const auto text = nb::cast<std::string>(result[1]);
  if (kind == "pruned") throw PrunedByEvaluator(text);
  if (kind == "cancelled") throw Cancelled();
  throw EvaluatorFailed(text);
}

Goal goal_of(nb::handle direction) {
  return nb::cast<std::string>(direction) == "minimize" ? Goal::minimize : Goal::maximize;
}

/// Keeps the first exception of the calling thread, and cancels the work.
class Interruptions {
 public:
  explicit Interruptions(const CancellationToken& token) : token_(token) {}

  template <typename Call>
  void guard(const Call& call) {
    try {
      call();
    } catch (nb::python_error& error) {
      token_.cancel();
      if (error.matches(PyExc_KeyboardInterrupt)) {
        interrupted_ = true;
      } else if (!raised_) {
        raised_ = std::current_exception();
      }
    }
  }
  [[nodiscard]] bool interrupted() const { return interrupted_; }
  void raise() const {
    if (raised_) std::rethrow_exception(raised_);
  }

 private:
  const CancellationToken& token_;
  bool interrupted_ = false;
  std::exception_ptr raised_;
};

/// Cancels a call that runs when the interpreter ends, on a daemon thread, and waits for its end:
/// Python ends a thread that asks for the interpreter then, which C++ does not survive.
class ExitGuard {
 public:
  explicit ExitGuard(const CancellationToken& token) {
    const auto handler = [token, ended = ended_.get_future().share(), process = ::getpid()] {
      if (::getpid() != process) return;  // a copy of the process has no such thread
      token.cancel();
      const nb::gil_scoped_release released;
      ended.wait_for(kPatience);
    };
    handler_ = nb::cpp_function(handler);
    atexit().attr("register")(handler_);
  }
  ~ExitGuard() {
    ended_.set_value();
    try {
      atexit().attr("unregister")(handler_);
    } catch (const nb::python_error&) {
      // The interpreter has ended, and with it the list of handlers.
    }
  }
  ExitGuard(const ExitGuard&) = delete;
  ExitGuard& operator=(const ExitGuard&) = delete;

 private:
  // An evaluator may not react to the interruption.
  static constexpr std::chrono::seconds kPatience{10};
  static nb::module_ atexit() { return nb::module_::import_("atexit"); }

  std::promise<void> ended_;
  nb::object handler_;
};

}  // namespace

void EventQueue::put(Event event) {
  const std::lock_guard lock(mutex_);
  events_.push_back(std::move(event));
  changed_.notify_one();
}

void EventQueue::close() {
  const std::lock_guard lock(mutex_);
  is_closed_ = true;
  changed_.notify_one();
}

std::deque<Event> EventQueue::take(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, timeout, [this] { return is_closed_ || !events_.empty(); });
  return std::exchange(events_, {});
}

bool EventQueue::is_closed() {
  const std::lock_guard lock(mutex_);
  return is_closed_ && events_.empty();
}

LogSink log_to(EventQueue& queue) {
  return [&queue](LogLevel level, std::string_view line) {
    queue.put({.kind = "log",
               .content = Value::Map{{"level", to_string(level)}, {"line", in_python(line)}}});
  };
}

EvaluatorCalls::Scope::Scope(EvaluatorCalls& calls, const CancellationToken& token)
    : calls_(calls),
      call_(calls.calls_.insert(calls.calls_.end(),
                                {.thread = PyThread_get_thread_ident(), .token = token})) {}

EvaluatorCalls::Scope::~Scope() { calls_.calls_.erase(call_); }

void EvaluatorCalls::interrupt_cancelled() {
  for (Call& call : calls_) {
    if (call.is_interrupted || !call.token.is_cancelled()) continue;
    call.is_interrupted = true;
    PyThreadState_SetAsyncExc(call.thread, PyExc_KeyboardInterrupt);
  }
}

Watched watch(const std::function<void()>& work, WatchedCall& call, nb::handle on_event) {
  Watched watched;
  const ExitGuard guard(call.token);
  std::jthread worker([&] {
    try {
      work();
    } catch (...) {
      watched.failure = std::current_exception();
    }
    call.queue.close();
  });
  Interruptions interruptions(call.token);
  while (!call.queue.is_closed()) {
    std::deque<Event> events;
    {
      const nb::gil_scoped_release released;
      events = call.queue.take(kPoll);
    }
    interruptions.guard([] {
      if (PyErr_CheckSignals() != 0) nb::raise_python_error();
    });
    for (const Event& event : events)
      interruptions.guard([&] { on_event(event.kind.c_str(), to_python(event.content)); });
    call.evaluators.interrupt_cancelled();
  }
  {
    const nb::gil_scoped_release released;
    worker.join();
  }
  interruptions.raise();
  watched.interrupted = interruptions.interrupted();
  return watched;
}

void run_interruptibly(const std::function<void()>& work, WatchedCall& call, nb::handle on_event) {
  const Watched watched = watch(work, call, on_event);
  if (watched.interrupted) throw Cancelled();
  if (watched.failure) std::rethrow_exception(watched.failure);
}

CustomEvaluator evaluator_of(nb::object evaluator, EvaluatorCalls& calls) {
  CustomEvaluator custom;
  const nb::object direction = evaluator.attr("direction");
  if (nb::isinstance<nb::dict>(direction)) {
    for (const auto& [name, of_score] : nb::borrow<nb::dict>(direction))
      custom.directions[nb::cast<std::string>(name)] = goal_of(of_score);
  } else {
    custom.direction = goal_of(direction);
  }
  custom.score = [function = held(std::move(evaluator)), &calls](const std::filesystem::path& model,
                                                                 const CancellationToken& token) {
    const nb::gil_scoped_acquire acquired;
    const EvaluatorCalls::Scope running(calls, token);
    try {
      return scores_of((*function)(model.c_str()));
    } catch (const nb::python_error& error) {
      // An interruption that came when the function was about to return.
      if (error.matches(PyExc_KeyboardInterrupt)) throw Cancelled();
      throw;
    }
  };
  return custom;
}

WorkerCommand worker_command_of(nb::object command) {
  return [function = held(std::move(command))](int threads, std::int64_t memory,
                                               const Device& device) {
    const nb::gil_scoped_acquire acquired;
    return nb::cast<std::vector<std::string>>(
        (*function)(threads, memory, to_string(device).c_str()));
  };
}

namespace {

nb::object is_cancelled(const CancellationToken& token) {
  return nb::cpp_function([token] { return token.is_cancelled(); });
}

}  // namespace

RemoteTrials remote_of(nb::object transport) {
  const auto object = held(std::move(transport));
  return {.begin =
              [object](const Value& greeting) {
                const nb::gil_scoped_acquire acquired;
                object->attr("begin")(to_python(greeting));
              },
          .ask =
              [object](const Value& request, const CancellationToken& token) {
                const nb::gil_scoped_acquire acquired;
                return to_value(object->attr("ask")(to_python(request), is_cancelled(token)),
                                "answer");
              },
          .places = Places{.take =
                               [object](const CancellationToken& token) {
                                 const nb::gil_scoped_acquire acquired;
                                 return nb::cast<std::optional<std::int64_t>>(
                                     object->attr("take")(is_cancelled(token)));
                               },
                           .leave =
                               [object](std::int64_t place) {
                                 const nb::gil_scoped_acquire acquired;
                                 object->attr("leave")(place);
                               }}};
}

}  // namespace quantsearch::python
