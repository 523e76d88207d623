#include "pipeline/stage_cache.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <thread>

#include "quantsearch/base/error.h"

namespace quantsearch {
namespace {

constexpr Key key_number(std::uint64_t number) { return {0, number}; }

struct Caller {
  StageCache& cache;
  std::vector<StageRecord> records = {};
  int computed = 0;

  int get(std::uint64_t key, int value, std::int64_t bytes) {
    return *cache.get<int>(
        "stage", key_number(key),
        [&] {
          ++computed;
          return value;
        },
        [bytes](const int&) { return bytes; }, records, {});
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

TEST(StageCache, ShowsWhatItHoldsWithoutCountingAUse) {
  StageCache cache(ByteBudget(20));
  Caller caller{cache};
  caller.get(1, 7, 10);
  caller.get(2, 8, 10);
  EXPECT_EQ(*cache.held<int>(key_number(1)), 7);
  EXPECT_EQ(cache.held<int>(key_number(3)), nullptr);
  EXPECT_EQ(cache.report().hits, 0);
  caller.get(3, 9, 10);  // 1 is still the least recently used
  EXPECT_EQ(cache.held<int>(key_number(1)), nullptr);
}

TEST(StageCache, DropsTheLeastRecentlyUsedWhenTheBudgetIsSpent) {
  StageCache cache(ByteBudget(20));
  Caller caller{cache};
  caller.get(1, 1, 10);
  caller.get(2, 2, 10);
  caller.get(1, 1, 10);  // now 2 is the least recently used
  caller.get(3, 3, 10);
  EXPECT_EQ(cache.report().bytes, 20);
  EXPECT_EQ(caller.get(1, 10, 10), 1);
  EXPECT_EQ(caller.get(3, 30, 10), 3);
  EXPECT_EQ(caller.get(2, 20, 10), 20);
}

TEST(StageCache, ReturnsArtefactsThatAreTooLargeToKeep) {
  const ByteBudget budget(20);
  StageCache cache(budget);
  Caller caller{cache};
  caller.get(1, 1, 10);
  EXPECT_EQ(caller.get(2, 2, 30), 2);
  EXPECT_EQ(caller.get(2, 3, 30), 3);
  EXPECT_EQ(budget.used(), cache.report().bytes);
}

TEST(StageCache, AStageThatItsInputMakesFailIsNotTriedAgain) {
  StageCache cache(ByteBudget(20));
  std::vector<StageRecord> records;
  int tried = 0;
  const auto fail = [&](std::uint64_t number, const auto& error) {
    (void)cache.get<int>(
        "stage", key_number(number),
        [&]() -> int {
          ++tried;
          throw error;
        },
        [](const int&) { return std::int64_t{1}; }, records, {});
  };
  for (int time = 0; time < 2; ++time) {
    EXPECT_THROW(fail(1, InvalidInput("no")), InvalidInput);
    EXPECT_THROW(fail(2, Unsupported("no")), Unsupported);
  }
  EXPECT_EQ(tried, 2);
  EXPECT_EQ(cache.report().hits, 2);
  EXPECT_TRUE(records.empty());
}

// A disk that was full may have room now.
TEST(StageCache, AStageThatFailsForAnotherReasonIsTriedAgain) {
  StageCache cache(ByteBudget(20));
  std::vector<StageRecord> records;
  const auto fail = [&] {
    (void)cache.get<int>(
        "stage", key_number(1), []() -> int { throw IoError("no"); },
        [](const int&) { return std::int64_t{1}; }, records, {});
  };
  EXPECT_THROW(fail(), IoError);
  EXPECT_TRUE(records.empty());
  Caller caller{cache};
  EXPECT_EQ(caller.get(1, 7, 1), 7);
}

TEST(StageCache, SecondsOfAStageExcludeThoseOfInnerStages) {
  StageCache cache(ByteBudget(100));
  std::vector<StageRecord> records;
  const auto one = [](const int&) { return std::int64_t{1}; };
  const auto outer = [&] {
    const int inner = *cache.get<int>("inner", key_number(1), [] { return 4; }, one, records, {});
    records.back().seconds = 1000;  // simulates a long inner stage
    return inner + 1;
  };
  EXPECT_EQ(*cache.get<int>("outer", key_number(2), outer, one, records, {}), 5);
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].name, "inner");
  EXPECT_EQ(records[1].seconds, 0);
}

TEST(StageCache, OneOfTheTrialsThatNeedAStageComputesIt) {
  constexpr int kTrials = 8;
  // The budget is too small to keep anything, so the artefact must come from the trial that
  // computes it.
  StageCache cache(ByteBudget(0));
  std::atomic<int> computed = 0;
  std::latch all_started(kTrials);
  std::vector<int> values(kTrials);
  {
    std::vector<std::jthread> trials;
    for (int trial = 0; trial < kTrials; ++trial) {
      trials.emplace_back([&, trial] {
        std::vector<StageRecord> records;
        all_started.arrive_and_wait();
        values[static_cast<std::size_t>(trial)] = *cache.get<int>(
            "stage", key_number(1), [&] { return 10 + computed++; },
            [](const int&) { return std::int64_t{1}; }, records, {});
      });
    }
  }
  // Trials that waited for the computation have the same value; later ones computed it again.
  const CacheReport report = cache.report();
  EXPECT_EQ(report.misses, computed);
  EXPECT_EQ(report.hits, kTrials - computed);
  for (const int value : values) EXPECT_LT(value, 10 + computed);
}

TEST(StageCache, AKeptStageIsComputedOnceByAnyNumberOfTrials) {
  constexpr int kTrials = 8;
  StageCache cache(ByteBudget(100));
  std::atomic<int> computed = 0;
  {
    std::vector<std::jthread> trials;
    for (int trial = 0; trial < kTrials; ++trial) {
      trials.emplace_back([&] {
        std::vector<StageRecord> records;
        (void)cache.get<int>(
            "stage", key_number(1), [&] { return ++computed; },
            [](const int&) { return std::int64_t{1}; }, records, {});
      });
    }
  }
  EXPECT_EQ(computed, 1);
}

TEST(StageCache, AWaitingTrialComputesWhenTheOtherFails) {
  StageCache cache(ByteBudget(100));
  const auto one = [](const int&) { return std::int64_t{1}; };
  std::latch first_computes(1);
  std::latch second_is_there(1);
  std::jthread first([&] {
    std::vector<StageRecord> records;
    const auto fail = [&]() -> int {
      first_computes.count_down();
      second_is_there.wait();
      throw IoError("no");
    };
    EXPECT_THROW((void)cache.get<int>("stage", key_number(1), fail, one, records, {}), IoError);
  });
  first_computes.wait();
  second_is_there.count_down();
  std::vector<StageRecord> records;
  EXPECT_EQ(*cache.get<int>("stage", key_number(1), [] { return 3; }, one, records, {}), 3);
}

TEST(StageCache, AWaitingTrialCanBeCancelled) {
  StageCache cache(ByteBudget(100));
  const auto one = [](const int&) { return std::int64_t{1}; };
  std::latch first_computes(1);
  std::latch second_gave_up(1);
  std::jthread first([&] {
    std::vector<StageRecord> records;
    const auto slow = [&] {
      first_computes.count_down();
      second_gave_up.wait();
      return 1;
    };
    EXPECT_EQ(*cache.get<int>("stage", key_number(1), slow, one, records, {}), 1);
  });
  first_computes.wait();
  const CancellationToken token;
  token.cancel();
  std::vector<StageRecord> records;
  EXPECT_THROW((void)cache.get<int>(
                   "stage", key_number(1), [] { return 3; }, one, records, token),
               Cancelled);
  second_gave_up.count_down();
}

}  // namespace
}  // namespace quantsearch
