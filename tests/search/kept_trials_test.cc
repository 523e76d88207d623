#include "quantsearch/search/kept_trials.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "quantsearch/search/pareto.h"
#include "quantsearch/search/trial_order.h"

namespace quantsearch {
namespace {

using Numbers = std::vector<std::int64_t>;

Trial complete(std::int64_t number, double value) {
  return {.number = number,
          .state = TrialState::complete,
          .point = {{"x", number}},
          .value = value,
          .reason = {},
          .details = {}};
}

Numbers numbers_of(const std::vector<Trial>& trials) {
  Numbers numbers;
  for (const Trial& trial : trials) numbers.push_back(trial.number);
  return numbers;
}

constexpr KeptTrials::Bounds kFew{.history = 8, .best = 2, .front = 3, .incumbents = 2};

TEST(KeptTrials, AreAllWhileTheyAreFew) {
  KeptTrials kept(Goal::minimize, {}, kFew);
  for (std::int64_t number = 0; number < 8; ++number)
    kept.add(complete(number, static_cast<double>(number)));
  EXPECT_EQ(numbers_of(kept.trials()), (Numbers{0, 1, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(kept.added(), 8);
}

TEST(KeptTrials, OfManyTheHistoryIsThinnedEvenlyAndTheBestStay) {
  KeptTrials kept(Goal::minimize, {}, kFew);
  // 13 and 14 are the best, 21 the worst; only 0 and 13 improved on those before.
  for (std::int64_t number = 0; number < 24; ++number)
    kept.add(complete(number, number == 13   ? 1
                              : number == 14 ? 2
                                             : 100 + static_cast<double>(number)));
  EXPECT_EQ(numbers_of(kept.trials()), (Numbers{0, 4, 8, 12, 13, 14, 16, 20}));
  EXPECT_EQ(kept.added(), 24);
}

TEST(KeptTrials, TheLatestIncumbentsStay) {
  KeptTrials kept(Goal::maximize, {}, {.history = 2, .best = 1, .front = 1, .incumbents = 3});
  for (std::int64_t number = 0; number < 33; ++number)
    kept.add(complete(number, static_cast<double>(number)));
  EXPECT_EQ(numbers_of(kept.trials()), (Numbers{0, 30, 31, 32}));
}

TEST(KeptTrials, OnlyCompleteOnesAreAmongTheBest) {
  KeptTrials kept(Goal::minimize, {}, {.history = 1, .best = 5, .front = 1, .incumbents = 5});
  for (std::int64_t number = 0; number < 9; ++number) {
    Trial failed = complete(number, 0);
    failed.state = TrialState::failed;
    kept.add(number == 5 ? complete(5, 1) : failed);
  }
  EXPECT_EQ(numbers_of(kept.trials()), (Numbers{0, 5}));
}

TEST(KeptTrials, TheFrontStays) {
  const std::vector<Goal> goals{Goal::minimize, Goal::maximize};
  KeptTrials kept(Goal::minimize, goals, {.history = 1, .best = 1, .front = 99, .incumbents = 1});
  std::vector<Trial> all;
  for (std::int64_t number = 0; number < 500; ++number) {
    const auto scattered = static_cast<double>(number * 7919 % 499);
    Trial trial = complete(number, scattered);
    trial.objectives = {scattered, static_cast<double>(number * 104729 % 491)};
    trial.constraints = {number % 3 == 0 ? 1.0 : -1.0};
    all.push_back(trial);
    kept.add(trial);
  }
  const Numbers numbers = numbers_of(kept.trials());
  const Numbers front = pareto_front(all, goals);
  ASSERT_GT(front.size(), 3U);
  for (const std::int64_t number : front)
    EXPECT_TRUE(std::ranges::binary_search(numbers, number)) << number;
  EXPECT_LE(numbers.size(), front.size() + 3);
}

TEST(KeptTrials, DoNotDependOnTheOrderInWhichTheyAreAdded) {
  const std::vector<Goal> goals{Goal::minimize, Goal::maximize};
  std::vector<Trial> all;
  for (std::int64_t number = 0; number < 300; ++number) {
    Trial trial = complete(number, static_cast<double>(300 - number + number * 7919 % 97));
    trial.objectives = {*trial.value, static_cast<double>(number * 104729 % 91)};
    if (number % 11 == 0) trial.state = TrialState::failed;
    all.push_back(trial);
  }
  const auto kept_of = [&](const auto& place_of) {
    KeptTrials kept(Goal::minimize, goals,
                    {.history = 16, .best = 3, .front = 300, .incumbents = 300});
    for (std::size_t i = 0; i < all.size(); ++i) kept.add(all[place_of(i)]);
    return numbers_of(kept.trials());
  };
  const Numbers in_order = kept_of([](std::size_t i) { return i; });
  EXPECT_EQ(kept_of([](std::size_t i) { return 299 - i; }), in_order);
  EXPECT_EQ(kept_of([](std::size_t i) { return i * 7 % 300; }), in_order);
  EXPECT_EQ(kept_of([](std::size_t i) { return i ^ 1; }), in_order);
}

TEST(KeptTrials, OfManyIncumbentsThoseThatAreAddedLateAreEarlierOnes) {
  KeptTrials kept(Goal::minimize, {}, {.history = 1, .best = 1, .front = 1, .incumbents = 2});
  for (const std::int64_t number : {5, 6, 7, 8, 3})
    kept.add(complete(number, static_cast<double>(100 - number)));
  EXPECT_EQ(numbers_of(kept.trials()), (Numbers{7, 8}));
}

TEST(KeptTrials, AHundredThousandTakeAsMuchRoomAsTenThousand) {
  KeptTrials kept(Goal::minimize, {});
  std::size_t most = 0;
  for (std::int64_t number = 0; number < 100'000; ++number) {
    kept.add(complete(number, static_cast<double>(number * 7919 % 100'003)));
    if (number % 4096 == 0) most = std::max(most, kept.trials().size());
  }
  const KeptTrials::Bounds bounds;
  EXPECT_LE(most, bounds.history + bounds.best + bounds.incumbents);
  EXPECT_GE(kept.trials().size(), bounds.history / 2);
  EXPECT_EQ(kept.added(), 100'000);
}

}  // namespace
}  // namespace quantsearch
