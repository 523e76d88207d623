#include "quantsearch/base/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <vector>

#include "quantsearch/base/error.h"
#include "support/messages.h"

namespace quantsearch {
namespace {

class ThreadPoolTest : public ::testing::TestWithParam<int> {};

TEST_P(ThreadPoolTest, CallsEachIndexOnceWithAWorkerInRange) {
  ThreadPool pool(GetParam());
  std::vector<std::atomic<int>> calls(1000);
  std::atomic<bool> in_range = true;
  pool.parallel_for(1000, [&](std::int64_t index, int worker) {
    ++calls[static_cast<std::size_t>(index)];
    if (worker < 0 || worker >= pool.threads()) in_range = false;
  });
  for (const auto& count : calls) EXPECT_EQ(count, 1);
  EXPECT_TRUE(in_range);
}

TEST_P(ThreadPoolTest, RethrowsTheFailureOfTheLowestIndexThatFailed) {
  ThreadPool pool(GetParam());
  const auto fail = [](std::int64_t index, int) { throw InvalidInput(std::to_string(index)); };
  EXPECT_EQ(message_of<InvalidInput>([&] { pool.parallel_for(100, fail); }), "0");
  std::atomic<int> calls = 0;  // the pool is usable afterwards
  pool.parallel_for(10, [&](std::int64_t, int) { ++calls; });
  EXPECT_EQ(calls, 10);
}

TEST_P(ThreadPoolTest, NestedCallsRunInline) {
  ThreadPool pool(GetParam());
  std::atomic<int> calls = 0;
  pool.parallel_for(4, [&](std::int64_t, int outer) {
    pool.parallel_for(5, [&](std::int64_t, int inner) {
      if (inner == outer) ++calls;
    });
  });
  EXPECT_EQ(calls, 20);
}

TEST_P(ThreadPoolTest, ANestedCallOnASmallerPoolUsesItsWorkerNumbers) {
  ThreadPool pool(GetParam());
  ThreadPool smaller(1);
  std::atomic<int> calls = 0;
  pool.parallel_for(8, [&](std::int64_t, int) {
    smaller.parallel_for(5, [&](std::int64_t, int worker) { calls += worker == 0 ? 1 : 0; });
  });
  EXPECT_EQ(calls, 40);
}

TEST_P(ThreadPoolTest, ACancelledTokenStopsBeforeTheEnd) {
  ThreadPool pool(GetParam());
  const CancellationToken token;
  std::atomic<int> calls = 0;
  EXPECT_THROW(pool.parallel_for(
                   1000,
                   [&](std::int64_t, int) {
                     if (++calls == 5) token.cancel();
                   },
                   token),
               Cancelled);
  EXPECT_LT(calls, 1000);
}

TEST_P(ThreadPoolTest, ACountOfZeroCallsNothing) {
  ThreadPool pool(GetParam());
  bool called = false;
  pool.parallel_for(0, [&](std::int64_t, int) { called = true; });
  EXPECT_FALSE(called);
}

INSTANTIATE_TEST_SUITE_P(Threads, ThreadPoolTest, ::testing::Values(1, 2, 5));

}  // namespace
}  // namespace quantsearch
