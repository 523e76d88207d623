#include "scale/stage_space.h"

#include <gtest/gtest.h>

#include "quantsearch/base/error.h"

namespace quantsearch {
namespace {

StageSpace space() {
  return StageSpace(
      {{"equalize", {1}}, {"observe", {2}}, {"ranges", {3}}, {"finetune", {4}}, {"evaluate", {5}}},
      10);
}

std::vector<double> seconds_of(const std::vector<StageWork>& stages) {
  std::vector<double> seconds;
  for (const StageWork& stage : stages) seconds.push_back(stage.seconds);
  return seconds;
}

TEST(StageSpace, LeavesOutWhatASettingSwitchesOff) {
  EXPECT_EQ(seconds_of(space().stages_of(0, {1, 0, 0, 0.95, 0, 1, 0.1})),
            (std::vector<double>{10, 20, 30, 40, 50}));
  EXPECT_EQ(seconds_of(space().stages_of(0, {0, 0, 0, 0.95, 0, 0, 0.1})),
            (std::vector<double>{20, 30, 50}));
}

TEST(StageSpace, TrialsShareTheStagesUpToTheFirstDifference) {
  const auto one = space().stages_of(0, {1, 0, 2, 0.95, 0, 1, 0.1});
  const auto other = space().stages_of(1, {1, 0, 2, 0.95, 0, 1, 0.2});  // another learning rate
  ASSERT_EQ(one.size(), 5U);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(one[i].key, other[i].key) << i;
  EXPECT_NE(one[3].key, other[3].key);
  EXPECT_NE(one[4].key, other[4].key);
}

TEST(StageSpace, RefusesStagesThatItDoesNotKnow) {
  EXPECT_THROW(StageSpace({{"smoothing", {1}}}, 1), InvalidInput);
  EXPECT_THROW(StageSpace({}, 1), InvalidInput);
}

TEST(StageSpace, ReadsTheRecordInTheRepository) {
  const StageTimes times = read_stage_times(QUANTSEARCH_STAGE_TIMES);
  EXPECT_EQ(times.at("evaluate").size(), 28U);
  EXPECT_NO_THROW(StageSpace(times, 1));
}

}  // namespace
}  // namespace quantsearch
