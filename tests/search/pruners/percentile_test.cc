#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "quantsearch/search/pruners.h"
#include "search/problems.h"

namespace quantsearch {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// Five trials that reported 1 to 5 at step 2, in some order.
const std::vector<Reports> kComplete = {{{2, 4}}, {{2, 1}}, {{2, 5}}, {{2, 3}}, {{2, 2}}};

TEST(PercentilePruner, PrunesWhatIsStrictlyWorseThanTheMedian) {
  EXPECT_TRUE(percentile_prunes({{0, 9}, {1, 8}, {2, 3.5}}, kComplete));
  EXPECT_FALSE(percentile_prunes({{0, 9}, {1, 8}, {2, 3}}, kComplete));
}

TEST(PercentilePruner, CountsTheBestValueSoFar) {
  EXPECT_FALSE(percentile_prunes({{0, 2.9}, {1, kNan}, {2, 9}}, kComplete));
}

TEST(PercentilePruner, InterpolatesBetweenTwoTrials) {
  const std::vector<Reports> four = {{{0, 4}}, {{0, 1}}, {{0, 2}}, {{0, 3}}};
  const PercentileOptions options{.percentile = 25, .startup_trials = 4};  // 1.75
  EXPECT_TRUE(percentile_prunes({{0, 1.76}}, four, options));
  EXPECT_FALSE(percentile_prunes({{0, 1.74}}, four, options));
}

TEST(PercentilePruner, WaitsForTrialsAndSteps) {
  const Reports bad = {{2, 99}};
  EXPECT_FALSE(percentile_prunes(bad, std::span(kComplete).first(4)));
  EXPECT_FALSE(percentile_prunes(bad, kComplete, {.warmup_steps = 3}));
  EXPECT_FALSE(percentile_prunes(bad, kComplete, {.least_trials = 6}));
  EXPECT_FALSE(percentile_prunes({{3, 99}}, kComplete));  // no one reported there
  EXPECT_FALSE(percentile_prunes({}, kComplete));
}

TEST(PercentilePruner, LooksAtTheFirstReportOfEachInterval) {
  const std::vector<Reports> complete(5, Reports{{3, 0}, {4, 0}, {6, 0}, {7, 0}, {8, 0}});
  const PercentileOptions options{.warmup_steps = 3, .interval_steps = 4};
  EXPECT_TRUE(percentile_prunes({{3, 1}}, complete, options));
  EXPECT_FALSE(percentile_prunes({{3, 1}, {4, 1}}, complete, options));
  EXPECT_TRUE(percentile_prunes({{3, 1}, {6, 1}, {7, 1}}, complete, options));
  EXPECT_TRUE(percentile_prunes({{3, 1}, {6, 1}, {8, 1}}, complete, options));
}

TEST(PercentilePruner, PrunesWhatReportedNoNumber) {
  EXPECT_TRUE(percentile_prunes({{2, kNan}}, kComplete));
  const std::vector<Reports> numberless(5, Reports{{2, kNan}});
  EXPECT_FALSE(percentile_prunes({{2, 1}}, numberless));
}

TEST(PercentilePruner, SaysWhatIsWrong) {
  EXPECT_EQ(message_of<InvalidInput>([] { (void)percentile_prunes({}, {}, {.percentile = 101}); }),
            "percentile pruner: got the percentile 101, expected 0 to 100");
  EXPECT_EQ(
      message_of<InvalidInput>([] { (void)percentile_prunes({}, {}, {.interval_steps = 0}); }),
      "percentile pruner: got 5 startup trials, 0 warmup steps, an interval of 0 and at least 1 "
      "trials, expected 0, 0, 1 and 1 or more");
}

}  // namespace
}  // namespace quantsearch
