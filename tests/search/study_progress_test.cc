#include "search/study_progress.h"

#include <gtest/gtest.h>

#include <limits>

#include "search/problems.h"

namespace quantsearch {
namespace {

Trial failed(std::int64_t number) {
  Trial trial;
  trial.number = number;
  trial.state = TrialState::failed;
  return trial;
}

TEST(StopConditions, OutOfRangeAreNamedInTheMessage) {
  const auto message = [](const StopConditions& stop) {
    return message_of<InvalidInput>([&] { check_search({.stop = stop}); });
  };
  StopConditions stop;
  EXPECT_EQ(message(stop), "nothing was thrown");
  stop.find_n_candidates = 0;
  EXPECT_EQ(message(stop), "search: stop condition 'find_n_candidates' is 0, expected at least 1");
  stop.find_n_candidates = 1;
  stop.find_best_candidate = -1;
  EXPECT_EQ(message(stop),
            "search: stop condition 'find_best_candidate' is -1, expected at least 1");
  stop.find_best_candidate = 1;
  stop.iteration_limit = 0;
  EXPECT_EQ(message(stop), "search: stop condition 'iteration_limit' is 0, expected at least 1");
  stop.iteration_limit = 1;
  stop.time_limit_seconds = 0;
  EXPECT_EQ(message(stop), "search: stop condition 'time_limit' is 0 s, expected a positive time");
  stop.time_limit_seconds = 0.5;
  stop.trial_time_limit_seconds = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(message(stop),
            "search: stop condition 'trial_time_limit' is nan s, expected a positive time");
}

TEST(StopConditions, NoneHoldsWhenAllAreOff) {
  StudyProgress progress(Goal::minimize, {});
  for (int number = 0; number < 100; ++number) progress.add(complete(number, 1, true));
  EXPECT_FALSE(progress.stop(1e9));
}

TEST(StopConditions, HoldWhenEnoughCandidatesAreFound) {
  StopConditions stop;
  stop.find_n_candidates = 2;
  StudyProgress progress(Goal::minimize, stop);
  progress.add(complete(0, 1, true));
  progress.add(complete(1, 1, false));
  EXPECT_FALSE(progress.stop(0));
  progress.add(complete(2, 1, true));
  ASSERT_TRUE(progress.stop(0));
  EXPECT_EQ(progress.stop(0)->reason, StopReason::candidates_found);
  EXPECT_EQ(progress.stop(0)->message, "enough candidates found: 2 of 2");
}

TEST(StopConditions, PatienceCountsCompleteTrialsSinceTheBest) {
  StopConditions stop;
  stop.find_best_candidate = 2;
  StudyProgress progress(Goal::minimize, stop);
  progress.add(failed(0));
  progress.add(failed(1));
  EXPECT_FALSE(progress.stop(0));  // no complete trial yet
  progress.add(complete(2, 5));
  progress.add(complete(3, 5));  // an equal value is no improvement
  progress.add(complete(4, 4));  // starts the count again
  progress.add(complete(5, 6));
  progress.add(failed(6));
  EXPECT_FALSE(progress.stop(0));
  progress.add(complete(7, 6));
  ASSERT_TRUE(progress.stop(0));
  EXPECT_EQ(progress.stop(0)->reason, StopReason::no_improvement);
  EXPECT_EQ(progress.stop(0)->message, "no improvement on trial 4 for 2 of 2 complete trials");
}

TEST(StopConditions, IterationsAreTrialsOfAnyState) {
  StopConditions stop;
  stop.iteration_limit = 3;
  StudyProgress progress(Goal::minimize, stop);
  progress.add(complete(0, 1));
  progress.add(failed(1));
  EXPECT_FALSE(progress.stop(0));
  Trial interrupted;
  interrupted.state = TrialState::interrupted;
  progress.add(interrupted);
  ASSERT_TRUE(progress.stop(0));
  EXPECT_EQ(progress.stop(0)->reason, StopReason::iteration_limit);
  EXPECT_EQ(progress.stop(0)->message, "iteration limit reached: 3 of 3 trials");
}

TEST(StopConditions, TheTimeLimitHoldsOnceItIsReached) {
  StopConditions stop;
  stop.time_limit_seconds = 60;
  const StudyProgress progress(Goal::minimize, stop);
  EXPECT_FALSE(progress.stop(59.999));
  ASSERT_TRUE(progress.stop(60));
  EXPECT_EQ(progress.stop(60.04)->reason, StopReason::time_limit);
  EXPECT_EQ(progress.stop(60.04)->message, "time limit reached: 60.0 of 60 s");
}

TEST(StudyProgress, TheFirstOfEqualBestWins) {
  StudyProgress progress(Goal::maximize, {});
  EXPECT_EQ(progress.best(), nullptr);
  progress.add(failed(0));
  EXPECT_EQ(progress.best(), nullptr);
  progress.add(complete(1, 1));
  progress.add(complete(2, 3));
  progress.add(complete(3, 3));
  progress.add(complete(4, 2));
  EXPECT_EQ(progress.best_number(), 2);
}

TEST(RankCandidates, AreBestFirstAndTiesByNumber) {
  const std::vector<Trial> trials = {complete(0, 2, true), complete(1, 9, true), failed(2),
                                     complete(3, 1, false), complete(4, 2, true)};
  EXPECT_EQ(rank_candidates(trials, Goal::minimize), (std::vector<std::int64_t>{0, 4, 1}));
  EXPECT_EQ(rank_candidates(trials, Goal::maximize), (std::vector<std::int64_t>{1, 0, 4}));
  EXPECT_TRUE(rank_candidates({}, Goal::minimize).empty());
}

}  // namespace
}  // namespace quantsearch
