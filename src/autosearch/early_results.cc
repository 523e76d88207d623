#include "autosearch/early_results.h"

#include <chrono>
#include <condition_variable>
#include <utility>

namespace quantsearch {

EarlyResults::EarlyResults(CancellationToken token, KeptTrials kept, Write write)
    : token_(std::move(token)),
      write_(std::move(write)),
      kept_(std::move(kept)),
      thread_([this](const std::stop_token& stop) { watch(stop); }) {}

EarlyResults::~EarlyResults() {
  thread_.request_stop();
  thread_.join();
}

void EarlyResults::add(const Trial& finished) {
  const std::lock_guard lock(mutex_);
  kept_.add(finished);
}

void EarlyResults::begin() {
  const std::lock_guard lock(mutex_);
  has_begun_ = true;
}

void EarlyResults::watch(const std::stop_token& stop) {
  // The token is polled, because it may be cancelled by a signal handler, which cannot notify a
  // thread.
  constexpr auto kPause = std::chrono::milliseconds(10);
  std::condition_variable_any pause;
  std::unique_lock lock(mutex_);
  while (!has_begun_ || !token_.is_cancelled()) {
    if (pause.wait_for(lock, stop, kPause, [&stop] { return stop.stop_requested(); })) return;
  }
  std::vector<Trial> trials = kept_.trials();
  const std::optional<std::int64_t> in_all = kept_.in_all();
  lock.unlock();
  write_(std::move(trials), in_all);
}

}  // namespace quantsearch
