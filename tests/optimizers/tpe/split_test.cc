#include "optimizers/tpe/split.h"

#include <gtest/gtest.h>

#include "quantsearch/base/error.h"

namespace quantsearch {
namespace {

std::vector<std::int64_t> chosen(const std::vector<Rated>& trials, std::size_t count) {
  const std::vector<char> best = best_trials(trials, count);
  std::vector<std::int64_t> numbers;
  for (std::size_t i = 0; i < trials.size(); ++i) {
    if (best[i]) numbers.push_back(trials[i].number);
  }
  return numbers;
}
using Numbers = std::vector<std::int64_t>;

TEST(BestTrials, TakesCompleteThenPrunedThenInfeasibleOnes) {
  const std::vector<Rated> trials = {{.number = 0, .objectives = {5}},
                                     {.number = 1, .pruned = true, .objectives = {2}},
                                     {.number = 2, .objectives = {0}, .violation = 0.5},
                                     {.number = 3, .objectives = {7}},
                                     {.number = 4, .pruned = true},
                                     {.number = 5, .pruned = true, .objectives = {1}},
                                     {.number = 6, .objectives = {0}, .violation = 0.1}};
  EXPECT_EQ(chosen(trials, 0), Numbers{});
  EXPECT_EQ(chosen(trials, 1), Numbers{0});
  EXPECT_EQ(chosen(trials, 2), (Numbers{0, 3}));
  EXPECT_EQ(chosen(trials, 3), (Numbers{0, 3, 5}));
  EXPECT_EQ(chosen(trials, 4), (Numbers{0, 1, 3, 5}));
  EXPECT_EQ(chosen(trials, 5), (Numbers{0, 1, 3, 4, 5}));
  EXPECT_EQ(chosen(trials, 6), (Numbers{0, 1, 3, 4, 5, 6}));
  EXPECT_EQ(chosen(trials, 99).size(), 7U);
}

TEST(BestTrials, GivesTiesToTheLowerNumber) {
  const std::vector<Rated> trials = {{.number = 8, .objectives = {1}},
                                     {.number = 2, .objectives = {1}},
                                     {.number = 5, .objectives = {1}}};
  EXPECT_EQ(chosen(trials, 2), (Numbers{2, 5}));
}

TEST(BestTrials, TakesWholeRanksAndThenTheMembersWithTheLargestHypervolume) {
  // Rank 0 is 0 and 1. Rank 1 is 2, 3, 4 with the reference (4.4, 4.4): trial 3 dominates 1.9^2 =
  // 3.61, trials 2 and 4 dominate 2.4 * 0.4 = 0.96 each.
  const std::vector<Rated> trials = {{.number = 0, .objectives = {0, 1}},
                                     {.number = 1, .objectives = {1, 0}},
                                     {.number = 2, .objectives = {2, 4}},
                                     {.number = 3, .objectives = {2.5, 2.5}},
                                     {.number = 4, .objectives = {4, 2}}};
  EXPECT_EQ(chosen(trials, 2), (Numbers{0, 1}));
  EXPECT_EQ(chosen(trials, 3), (Numbers{0, 1, 3}));
  EXPECT_EQ(chosen(trials, 4), (Numbers{0, 1, 2, 3}));
}

TEST(BestTrials, PutsInfeasibleTrialsAfterDominatedOnes) {
  const std::vector<Rated> trials = {{.number = 0, .objectives = {0, 0}, .violation = 1},
                                     {.number = 1, .objectives = {1, 1}},
                                     {.number = 2, .objectives = {2, 2}}};
  EXPECT_EQ(chosen(trials, 2), (Numbers{1, 2}));
}

TEST(Ranking, OrdersRowsAsBestTrialsTakesThem) {
  const std::vector<Rated> trials = {{.number = 0, .objectives = {5}},
                                     {.number = 1, .pruned = true, .objectives = {2}},
                                     {.number = 2, .objectives = {0}, .violation = 0.5},
                                     {.number = 3, .objectives = {1}},
                                     {.number = 4, .objectives = {1}}};
  const std::vector<std::uint32_t> rows = {2, 1, 4, 3};
  EXPECT_EQ(ranking(trials, rows), (std::vector<std::size_t>{3, 2, 1, 0}));
}

TEST(Rate, AddsOnlyViolatedConstraints) {
  const Rated trial =
      rate({.number = 3, .at = {}, .objectives = {1}, .constraints = {-2, 0.5, 0, 0.25}}, 1);
  EXPECT_EQ(trial.violation, 0.75);
}

TEST(Rate, RefusesAnotherNumberOfObjectives) {
  EXPECT_NO_THROW((void)rate({.number = 3, .at = {}, .outcome = Outcome::pruned}, 2));
  try {
    (void)rate({.number = 3, .at = {}, .objectives = {1}}, 2);
    FAIL() << "nothing was thrown";
  } catch (const InvalidInput& error) {
    EXPECT_STREQ(error.what(), "search: tpe: trial 3 has 1 objectives, expected 2");
  }
}

}  // namespace
}  // namespace quantsearch
