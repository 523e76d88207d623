#include "scale/simulation.h"

#include <algorithm>
#include <utility>

namespace quantsearch {

namespace {

void add_wait(QueueTotals& totals, double seconds) {
  ++totals.requests;
  totals.waiting_seconds += seconds;
  totals.longest_wait = std::max(totals.longest_wait, seconds);
}

}  // namespace

void Simulation::run() {
  while (!is_stopped_ && !events_.is_empty()) events_.next()();
}

void Server::serve(double seconds, Callback done) {
  Request request{.arrival = simulation_.now(), .seconds = seconds, .done = std::move(done)};
  if (free_ > 0)
    start(std::move(request));
  else
    waiting_.push_back(std::move(request));
}

void Server::start(Request request) {
  --free_;
  add_wait(totals_, simulation_.now() - request.arrival);
  totals_.busy_seconds += request.seconds;
  simulation_.after(request.seconds, [this, done = std::move(request.done)] {
    ++free_;
    if (!waiting_.empty()) {
      Request next = std::move(waiting_.front());
      waiting_.pop_front();
      start(std::move(next));
    }
    done();
  });
}

void Lock::acquire(Callback held) {
  Request request{.arrival = simulation_.now(), .held = std::move(held)};
  if (is_held_)
    waiting_.push_back(std::move(request));
  else
    give(std::move(request));
}

void Lock::give(Request request) {
  is_held_ = true;
  since_ = simulation_.now();
  add_wait(totals_, since_ - request.arrival);
  request.held();
}

void Lock::release() {
  totals_.busy_seconds += simulation_.now() - since_;
  is_held_ = false;
  if (waiting_.empty()) return;
  // The next holder begins in an event of its own, so that a long queue does not nest calls.
  is_held_ = true;
  simulation_.after(
      0, [this, next = std::move(waiting_.front())]() mutable { give(std::move(next)); });
  waiting_.pop_front();
}

}  // namespace quantsearch
