#include "runtime/cancellation_watcher.h"

#include <chrono>
#include <utility>

namespace quantsearch {

namespace {

// A stopped run ends at its next operator, which takes milliseconds, so a shorter interval would
// make no difference.
constexpr std::chrono::milliseconds kInterval{10};
// Number of checks without any run before the thread sleeps until it is notified. Between checks it
// only waits for a timeout, so a new run need not notify it; that matters for runs of 0.1 ms.
constexpr int kIdleLooks = 50;

}  // namespace

CancellationWatcher::~CancellationWatcher() {
  {
    const std::lock_guard lock(mutex_);
    quit_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

CancellationWatcher::Watch CancellationWatcher::watch(CancellationToken token,
                                                      std::function<void()> stop) {
  const std::lock_guard lock(mutex_);
  const std::uint64_t id = next_id_++;
  runs_.emplace(id, Run{.token = std::move(token), .stop = std::move(stop)});
  if (!thread_.joinable()) {
    thread_ = std::thread([this] { loop(); });
  } else if (asleep_) {
    wake_.notify_one();
  }
  return {*this, id};
}

void CancellationWatcher::forget(std::uint64_t id) {
  const std::lock_guard lock(mutex_);
  runs_.erase(id);
}

void CancellationWatcher::loop() {
  std::unique_lock lock(mutex_);
  int idle_looks = 0;
  while (!quit_) {
    for (auto& [id, run] : runs_) {
      if (run.stop && run.token.is_cancelled()) std::exchange(run.stop, nullptr)();
    }
    idle_looks = runs_.empty() ? idle_looks + 1 : 0;
    if (idle_looks < kIdleLooks) {
      wake_.wait_for(lock, kInterval, [this] { return quit_; });
      continue;
    }
    asleep_ = true;
    wake_.wait(lock, [this] { return quit_ || !runs_.empty(); });
    asleep_ = false;
    idle_looks = 0;
  }
}

}  // namespace quantsearch
