#pragma once

// The parts of a discrete-event simulation: a clock with callbacks, a server with a queue, and a
// lock. Everything happens in the order of time and, at the same time, in the order it was asked
// for.

#include <cstdint>
#include <deque>
#include <functional>

#include "scale/event_queue.h"

namespace quantsearch {

using Callback = std::function<void()>;

class Simulation {
 public:
  [[nodiscard]] double now() const { return events_.now(); }
  void after(double seconds, Callback callback) {
    events_.add(events_.now() + seconds, std::move(callback));
  }
  /// Runs until nothing is left to do or stop() is called.
  void run();
  void stop() { is_stopped_ = true; }

 private:
  EventQueue<Callback> events_;
  bool is_stopped_ = false;
};

/// Counts what passed through a server or a lock.
struct QueueTotals {
  std::int64_t requests = 0;
  double busy_seconds = 0;     // of all cores together
  double waiting_seconds = 0;  // of all requests together, before they are served
  double longest_wait = 0;
};

/// A server with several cores that serves requests in the order of their arrival.
class Server {
 public:
  Server(Simulation& simulation, int cores) : simulation_(simulation), free_(cores) {}
  /// Calls back when a core has worked on the request for so many seconds.
  void serve(double seconds, Callback done);
  [[nodiscard]] const QueueTotals& totals() const { return totals_; }

 private:
  struct Request {
    double arrival = 0;
    double seconds = 0;
    Callback done;
  };
  void start(Request request);

  Simulation& simulation_;
  int free_;
  std::deque<Request> waiting_;
  QueueTotals totals_;
};

/// A lock that is given in the order in which it was asked for.
class Lock {
 public:
  explicit Lock(Simulation& simulation) : simulation_(simulation) {}
  /// Calls back when the lock is held, which release() ends.
  void acquire(Callback held);
  void release();
  [[nodiscard]] const QueueTotals& totals() const { return totals_; }

 private:
  struct Request {
    double arrival = 0;
    Callback held;
  };
  void give(Request request);

  Simulation& simulation_;
  bool is_held_ = false;
  double since_ = 0;
  std::deque<Request> waiting_;
  QueueTotals totals_;
};

}  // namespace quantsearch
