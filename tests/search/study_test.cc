#include "quantsearch/search/study.h"

#include <gtest/gtest.h>

namespace quantsearch {
namespace {

TEST(Names, AreThoseWrittenToTheResults) {
  EXPECT_EQ(to_string(TrialState::running), "running");
  EXPECT_EQ(to_string(TrialState::complete), "complete");
  EXPECT_EQ(to_string(TrialState::failed), "failed");
  EXPECT_EQ(to_string(TrialState::pruned), "pruned");
  EXPECT_EQ(to_string(TrialState::interrupted), "interrupted");
  EXPECT_EQ(to_string(StopReason::space_exhausted), "space_exhausted");
  EXPECT_EQ(to_string(StopReason::candidates_found), "candidates_found");
  EXPECT_EQ(to_string(StopReason::no_improvement), "no_improvement");
  EXPECT_EQ(to_string(StopReason::iteration_limit), "iteration_limit");
  EXPECT_EQ(to_string(StopReason::time_limit), "time_limit");
  EXPECT_EQ(to_string(StopReason::cancelled), "cancelled");
}

TEST(IsBetter, FollowsTheGoalAndIsStrict) {
  EXPECT_TRUE(is_better(1, 2, Goal::minimize));
  EXPECT_FALSE(is_better(1, 2, Goal::maximize));
  EXPECT_TRUE(is_better(2, 1, Goal::maximize));
  EXPECT_FALSE(is_better(1, 1, Goal::minimize));
  EXPECT_FALSE(is_better(1, 1, Goal::maximize));
}

TEST(InMemoryStore, ReturnsTheTrialsItSaved) {
  const auto store = in_memory_store();
  EXPECT_TRUE(store->load().empty());
  Trial trial;
  trial.number = 3;
  store->save(trial);
  EXPECT_EQ(store->load(), std::vector<Trial>{trial});
}

}  // namespace
}  // namespace quantsearch
