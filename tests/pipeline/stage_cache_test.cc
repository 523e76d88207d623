#include "pipeline/stage_cache.h"

#include "quantsearch/base/error.h"

#include <gtest/gtest.h>

namespace quantsearch {
namespace {

constexpr Key key_number(std::uint64_t number) { return {0, number}; }

struct Caller {
  StageCache& cache;
  std::vector<StageRecord> records = {};
  int computed = 0;

  int get(std::uint64_t key, int value, std::int64_t bytes) {
    return *cache.get<int>("stage", key_number(key), [&] { ++computed; return value; },
                           [bytes](const int&) { return bytes; }, records);
  }
};

TEST(StageCache, ComputesOnceAndThenReuses) {
  StageCache cache(ByteBudget(100));
  Caller caller{cache};
  EXPECT_EQ(caller.get(1, 7, 10), 7);
  EXPECT_EQ(caller.get(1, 8, 10), 7);
  EXPECT_EQ(caller.computed, 1);
  EXPECT_FALSE(caller.records[0].cached);
  EXPECT_TRUE(caller.records[1].cached);
  EXPECT_EQ(cache.report().hits, 1);
  EXPECT_EQ(cache.report().misses, 1);
}

TEST(StageCache, DropsTheLeastRecentlyUsedWhenTheBudgetIsSpent) {
  StageCache cache(ByteBudget(20));
  Caller caller{cache};
  caller.get(1, 1, 10);
  caller.get(2, 2, 10);
  caller.get(1, 1, 10);  // now 2 is the older one
  caller.get(3, 3, 10);
  EXPECT_TRUE(cache.holds(key_number(1)));
  EXPECT_FALSE(cache.holds(key_number(2)));
  EXPECT_TRUE(cache.holds(key_number(3)));
  EXPECT_EQ(cache.report().bytes, 20);
}

TEST(StageCache, ReturnsWhatIsTooLargeToKeep) {
  const ByteBudget budget(20);
  StageCache cache(budget);
  Caller caller{cache};
  caller.get(1, 1, 10);
  EXPECT_EQ(caller.get(2, 2, 30), 2);
  EXPECT_FALSE(cache.holds(key_number(2)));
  EXPECT_EQ(budget.used(), cache.report().bytes);
}

TEST(StageCache, AFailedStageIsNotKept) {
  StageCache cache(ByteBudget(20));
  std::vector<StageRecord> records;
  const auto fail = [&] {
    (void)cache.get<int>("stage", key_number(1), []() -> int { throw InvalidInput("no"); }, [](const int&) { return std::int64_t{1}; }, records);
  };
  EXPECT_THROW(fail(), InvalidInput);
  EXPECT_FALSE(cache.holds(key_number(1)));
  EXPECT_TRUE(records.empty());
}

}  // namespace
}  // namespace quantsearch
