#include "runtime/cancellation_watcher.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>
#include <vector>

namespace quantsearch {
namespace {

TEST(CancellationWatcher, StopsARunWhenItsTokenIsCancelled) {
  CancellationWatcher watcher;
  const CancellationToken token;
  std::promise<void> stopped;
  const auto watch = watcher.watch(token, [&stopped] { stopped.set_value(); });
  token.cancel();
  stopped.get_future().wait();
}

TEST(CancellationWatcher, StopsARunPastItsDeadline) {
  CancellationWatcher watcher;
  std::promise<void> stopped;
  const auto watch = watcher.watch(CancellationToken().with_deadline(Clock::now()),
                                   [&stopped] { stopped.set_value(); });
  stopped.get_future().wait();
}

TEST(CancellationWatcher, LeavesOtherRunsAlone) {
  CancellationWatcher watcher;
  const CancellationToken cancelled;
  std::atomic<int> wrong = 0;
  std::promise<void> stopped;
  const auto other = watcher.watch(CancellationToken(), [&wrong] { ++wrong; });
  const auto watch = watcher.watch(cancelled, [&stopped] { stopped.set_value(); });
  cancelled.cancel();
  stopped.get_future().wait();
  EXPECT_EQ(wrong, 0);
}

TEST(CancellationWatcher, NeverStopsARunThatHasEnded) {
  CancellationWatcher watcher;
  for (int round = 0; round < 200; ++round) {
    const CancellationToken token;
    std::atomic<bool> is_over = false;
    std::atomic<bool> was_late = false;
    {
      const auto watch = watcher.watch(token, [&] { was_late = is_over.load(); });
      token.cancel();
    }
    is_over = true;
    EXPECT_FALSE(was_late);
  }
}

TEST(CancellationWatcher, ServesManyThreads) {
  CancellationWatcher watcher;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 8; ++thread) {
    threads.emplace_back([&watcher] {
      for (int round = 0; round < 20; ++round) {
        const CancellationToken token;
        std::promise<void> stopped;
        const auto watch = watcher.watch(token, [&stopped] { stopped.set_value(); });
        token.cancel();
        stopped.get_future().wait();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace quantsearch
