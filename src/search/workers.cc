#include "search/workers.h"

#include <exception>
#include <utility>

namespace quantsearch {

Workers::Workers(int jobs, Run run, std::optional<Places> places, CancellationToken token)
    : run_(std::move(run)), places_(std::move(places)), token_(std::move(token)) {
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
    std::optional<std::int64_t> place;
    if (places_) {
      lock.unlock();
      place = take_place();
      lock.lock();
    }
    std::optional<TrialRun> run = next_waiting(place);
    lock.unlock();
    if (run) run_(*run);
    if (place) places_->leave(*place);
    lock.lock();
    if (!run) continue;
    finished_.push_back(*std::move(run));
    changed_.notify_all();
  }
}

std::optional<std::int64_t> Workers::take_place() const {
  try {
    return places_->take(token_);
  } catch (const std::exception&) {
    return std::nullopt;  // the trial then says what is wrong
  }
}

std::optional<TrialRun> Workers::next_waiting(std::optional<std::int64_t> place) {
  if (waiting_.empty()) return std::nullopt;
  const std::size_t index = place ? stage_places_.choose(*place, waiting_) : 0;
  TrialRun run = std::move(waiting_[index]);
  waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(index));
  run.place = place;
  if (place) stage_places_.note(*place, run.stages);
  return run;
}

}  // namespace quantsearch
