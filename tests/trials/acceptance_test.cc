#include "quantsearch/internal/trials/acceptance.h"

#include <gtest/gtest.h>

namespace quantsearch {
namespace {

Acceptance with(Metric metric, std::optional<double> tolerance,
                std::optional<double> float_value = std::nullopt) {
  GoalConfig config;
  config.metric = metric;
  config.tolerance = tolerance;
  const MetricInfo& info = metric_info(metric);
  return Acceptance(config, {.name = info.name, .goal = info.direction}, float_value);
}

TEST(Acceptance, DistancesHaveToBeSmall) {
  const Acceptance acceptance = with(Metric::l2, 0.1);
  EXPECT_TRUE(acceptance.accepts({{"L2", 0.1}}));
  EXPECT_FALSE(acceptance.accepts({{"L2", 0.11}}));
  EXPECT_EQ(acceptance.rule(), "L2 at most 0.1");
}

TEST(Acceptance, NamesTheLimitsThatAreCertain) {
  const std::map<Metric, double> own = {{Metric::l2, 0.1}};
  EXPECT_EQ(with(Metric::l2, 0.1).distance_limits(), own);
  const std::map<Metric, double> by_default = {{Metric::rel_l2, 0.01}, {Metric::worst_slice, 0.1}};
  EXPECT_EQ(with(Metric::l2, std::nullopt).distance_limits(), by_default);
  EXPECT_TRUE(with(Metric::cos, 0.01).distance_limits().empty());
  EXPECT_FALSE(with(Metric::l2, 0.1).accuracy_limit());
  EXPECT_DOUBLE_EQ(with(Metric::top1, 0.01, 0.91).accuracy_limit().value(), 0.9);
}

TEST(Acceptance, SimilaritiesHaveToBeNearOne) {
  const Acceptance acceptance = with(Metric::cos, 0.01);
  EXPECT_TRUE(acceptance.accepts({{"cos", 0.995}}));
  EXPECT_FALSE(acceptance.accepts({{"cos", 0.98}}));
}

TEST(Acceptance, AccuracyMayDropByTheTolerance) {
  const Acceptance acceptance = with(Metric::top1, 0.01, 0.91);
  EXPECT_TRUE(acceptance.accepts({{"top1", 0.90}}));
  EXPECT_TRUE(acceptance.accepts({{"top1", 0.95}}));
  EXPECT_FALSE(acceptance.accepts({{"top1", 0.899}}));
  EXPECT_EQ(acceptance.rule(), "top1 at least 0.9 (float 0.91, tolerance 0.01)");
}

TEST(Acceptance, ADecibelToleranceIsTheLimitItself) {
  const Acceptance acceptance = with(Metric::sqnr, 25);
  EXPECT_TRUE(acceptance.accepts({{"sqnr", 25}}));
  EXPECT_FALSE(acceptance.accepts({{"sqnr", 24}}));
}

TEST(Acceptance, TheDefaultForUnnormalisedDistancesIsRelative) {
  // A destroyed model has a mean squared error of 75 where the float outputs have an energy of 80,
  // so it is no candidate.
  const Acceptance acceptance = with(Metric::l2, std::nullopt);
  EXPECT_FALSE(acceptance.accepts({{"L2", 75}, {"rel_l2", 0.94}, {"worst_slice", 0.94}}));
  EXPECT_TRUE(acceptance.accepts({{"L2", 0.5}, {"rel_l2", 0.006}, {"worst_slice", 0.02}}));
  EXPECT_EQ(acceptance.rule(), "rel_l2 at most 0.01 and worst_slice at most 0.1, the default");
}

TEST(Acceptance, TheDefaultRefusesAModelWithADestroyedSlice) {
  // The output has scores and boxes; the error of the scores is not visible in the whole output.
  const std::map<std::string, double> destroyed = {
      {"L2", 0.5}, {"rel_l2", 0.0014}, {"worst_slice", 0.58}, {"top1", 0.91}, {"sqnr", 28}};
  EXPECT_FALSE(with(Metric::l2, std::nullopt).accepts(destroyed));
  EXPECT_FALSE(with(Metric::sqnr, std::nullopt).accepts(destroyed));
  EXPECT_FALSE(with(Metric::top1, std::nullopt, 0.91).accepts(destroyed));
  EXPECT_EQ(with(Metric::worst_slice, std::nullopt).rule(), "worst_slice at most 0.1, the default");
}

TEST(Acceptance, AUsersToleranceLimitsOnlyItsOwnMetric) {
  const Acceptance acceptance = with(Metric::rel_l2, 0.01);
  EXPECT_TRUE(acceptance.accepts({{"rel_l2", 0.0014}, {"worst_slice", 0.58}}));
  EXPECT_EQ(acceptance.rule(), "rel_l2 at most 0.01");
}

TEST(Acceptance, AnEvaluatorAddsNoLimitOnSlices) {
  const Acceptance acceptance(GoalConfig{}, {.name = "custom", .goal = Goal::maximize}, 0.9);
  EXPECT_TRUE(acceptance.accepts({{"custom", 0.9}, {"worst_slice", 0.58}}));
}

TEST(Acceptance, AnEvaluatorsScoreMayLoseAShareOfTheFloatModels) {
  const Acceptance score(GoalConfig{}, {.name = "map", .goal = Goal::maximize}, 0.5);
  EXPECT_EQ(score.rule(), "map at least 0.495 (float 0.5, tolerance 0.005), the default");
  const Acceptance agreement(
      GoalConfig{},
      {.name = "map", .goal = Goal::maximize, .tolerated_share = kToleratedShareOfAgreement}, 1.0);
  EXPECT_EQ(agreement.rule(), "map at least 0.9 (float 1, tolerance 0.1), the default");
  EXPECT_TRUE(agreement.accepts({{"map", 0.9}}));
}

TEST(Acceptance, ZeroToleranceMeansNoLoss) {
  const Acceptance acceptance = with(Metric::top1, 0.0, 0.9);
  EXPECT_TRUE(acceptance.accepts({{"top1", 0.9}}));
  EXPECT_FALSE(acceptance.accepts({{"top1", 0.8999}}));
}

TEST(Acceptance, CustomScoresFollowTheirDirection) {
  GoalConfig config;
  config.tolerance = 1;
  const Acceptance lower(config, {.name = "custom", .goal = Goal::minimize}, 20.0);
  EXPECT_TRUE(lower.accepts({{"custom", 21}}));
  EXPECT_FALSE(lower.accepts({{"custom", 21.5}}));
  const Acceptance higher(config, {.name = "custom", .goal = Goal::maximize}, 20.0);
  EXPECT_TRUE(higher.accepts({{"custom", 19}}));
  EXPECT_FALSE(higher.accepts({{"custom", 18.5}}));
}

}  // namespace
}  // namespace quantsearch
