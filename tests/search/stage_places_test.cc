#include "search/stage_places.h"

#include <gtest/gtest.h>

#include <string>

namespace quantsearch {
namespace {

using Stages = std::vector<Key>;

/// Keys of the prefixes of a path: "abc" has those of "a", "ab" and "abc".
Stages stages_of(const std::string& path) {
  Stages stages;
  for (std::size_t length = 1; length <= path.size(); ++length) {
    KeyBuilder builder;
    builder.add(path.substr(0, length));
    stages.push_back(builder.finish());
  }
  return stages;
}

std::deque<TrialRun> waiting(const std::vector<std::string>& paths) {
  std::deque<TrialRun> runs;
  for (const std::string& path : paths) runs.push_back({.trial = {}, .stages = stages_of(path)});
  return runs;
}

TEST(StagePlaces, WithoutComputedStagesTheFirstTrialRuns) {
  const StagePlaces stages;
  EXPECT_EQ(stages.choose(0, waiting({"aa", "ab"})), 0U);
}

TEST(StagePlaces, APlaceStaysWithTheTrialsWhoseStagesItHas) {
  StagePlaces stages;
  stages.note(0, stages_of("ab"));
  stages.note(1, stages_of("cd"));
  EXPECT_EQ(stages.choose(0, waiting({"ab", "cd"})), 0U);
  EXPECT_EQ(stages.choose(1, waiting({"ab", "cd"})), 1U);
}

TEST(StagePlaces, APlaceBeginsWhereItSharesTheFewestStagesWithOthers) {
  StagePlaces stages;
  stages.note(0, stages_of("abc"));
  EXPECT_EQ(stages.choose(1, waiting({"abc", "abd", "axy", "bxy", "cxy"})), 3U);
  EXPECT_EQ(stages.choose(1, waiting({"abc", "abd", "axy"})), 2U);
  EXPECT_EQ(stages.choose(1, waiting({"abc", "abc"})), 0U);
}

TEST(StagePlaces, AStageThatBothPlacesHaveBindsNeither) {
  StagePlaces stages;
  stages.note(0, stages_of("ab"));
  stages.note(1, stages_of("ab"));
  EXPECT_EQ(stages.choose(1, waiting({"ab", "ac"})), 0U);
}

}  // namespace
}  // namespace quantsearch
