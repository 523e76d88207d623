#include "quantsearch/search/pareto.h"

#include <gtest/gtest.h>

#include <limits>

#include "search/problems.h"

namespace quantsearch {
namespace {

const std::vector<Goal> kGoals = {Goal::maximize, Goal::minimize};  // accuracy, size

Trial trial(std::int64_t number, std::vector<double> objectives) {
  Trial made;
  made.number = number;
  made.state = TrialState::complete;
  made.objectives = std::move(objectives);
  return made;
}

TEST(ParetoFronts, FollowTheGoals) {
  const std::vector<Trial> trials = {trial(3, {0.9, 4}), trial(5, {0.8, 2}), trial(6, {0.8, 4}),
                                     trial(8, {0.7, 3}), trial(9, {0.9, 4})};
  EXPECT_EQ(pareto_fronts(trials, kGoals),
            (std::vector<std::vector<std::int64_t>>{{3, 5, 9}, {6, 8}}));
  EXPECT_EQ(pareto_front(trials, kGoals), (std::vector<std::int64_t>{3, 5, 9}));
}

TEST(ParetoFronts, LeaveOutIncompleteInfeasibleAndNanTrials) {
  std::vector<Trial> trials = {trial(0, {0.9, 1}), trial(1, {0.9, 1}), trial(2, {0.5, 9}),
                               trial(3, {std::numeric_limits<double>::quiet_NaN(), 1})};
  trials[0].state = TrialState::failed;
  trials[1].constraints = {-1, 0.1};
  trials[2].constraints = {-1, 0};
  EXPECT_EQ(pareto_front(trials, kGoals), std::vector<std::int64_t>{2});
  trials[2].constraints = {1};
  EXPECT_TRUE(pareto_front(trials, kGoals).empty());
}

TEST(ParetoFronts, OfOneGoalAreOrderedByValue) {
  std::vector<Trial> trials = {trial(0, {}), trial(1, {}), trial(2, {})};
  trials[0].value = 1;
  trials[1].value = 3;
  trials[2].value = 3;
  const std::vector<Goal> goals = {Goal::maximize};
  EXPECT_EQ(pareto_front(trials, goals), (std::vector<std::int64_t>{1, 2}));
}

TEST(ParetoFronts, NameTheTrialWithTooFewObjectives) {
  const std::vector<Trial> trials = {trial(4, {1})};
  EXPECT_EQ(message_of<InvalidInput>([&] { (void)pareto_fronts(trials, kGoals); }),
            "pareto front: trial 4 has 1 objectives, expected 2, one per goal");
  EXPECT_EQ(message_of<InvalidInput>([&] { (void)pareto_fronts(trials, {}); }),
            "pareto front: got no goal, expected one per objective");
}

}  // namespace
}  // namespace quantsearch
