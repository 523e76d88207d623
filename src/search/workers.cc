#include "search/workers.h"

namespace quantsearch {

Workers::Workers(int jobs, Run run) : run_(std::move(run)) {
  if (jobs == 1) return;
  for (int job = 0; job < jobs; ++job) threads_.emplace_back([this] { work(); });
}

Workers::~Workers() {
  {
    const std::lock_guard lock(mutex_);
    quit_ = true;
    waiting_.clear();
  }
  changed_.notify_all();
}

void Workers::submit(TrialRun run) {
  ++outstanding_;
  if (threads_.empty()) {
    run_(run);
    finished_.push_back(std::move(run));
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(run));
  }
  changed_.notify_all();
}

void Workers::drop_waiting() {
  const std::lock_guard lock(mutex_);
  outstanding_ -= static_cast<int>(waiting_.size());
  waiting_.clear();
}

TrialRun Workers::next_finished() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !finished_.empty(); });
  TrialRun run = std::move(finished_.front());
  finished_.pop_front();
  --outstanding_;
  return run;
}

void Workers::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return quit_ || !waiting_.empty(); });
    if (quit_) return;
    TrialRun run = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    run_(run);
    lock.lock();
    finished_.push_back(std::move(run));
    changed_.notify_all();
  }
}

}  // namespace quantsearch
