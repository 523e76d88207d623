#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "quantsearch/search/pruners.h"
#include "search/problems.h"

namespace quantsearch {
namespace {

double p_of(const std::vector<double>& differences) { return signed_rank_p(differences); }

TEST(SignedRankP, IsTheShareOfSignsWithAsLargeASum) {
  EXPECT_DOUBLE_EQ(p_of({1, 2, 3, 4, 5}), 1 / 32.0);
  EXPECT_DOUBLE_EQ(p_of({-1, -2, -3}), 1);
  // All ranks but that of 6 are positive: 14 of the 128 subsets of 1..7 sum to at most 6.
  EXPECT_DOUBLE_EQ(p_of({1, 2, 3, 4, 5, -6, 7}), 14 / 128.0);
}

TEST(SignedRankP, AveragesTiesAndLeavesZerosBetween) {
  EXPECT_DOUBLE_EQ(p_of({1, 1, -1}), 0.5);
  EXPECT_DOUBLE_EQ(p_of({0, 1, 2}), 0.25);
  EXPECT_DOUBLE_EQ(p_of({0, 0}), 1);
  // Ranks 1.5, 1.5 and 3 with the sum 4.5: of eight, {1.5, 3} twice and all.
  EXPECT_DOUBLE_EQ(p_of({1, -1, 2}), 3 / 8.0);
}

TEST(SignedRankP, OfManyDifferencesIsNormal) {
  // 1 to 51, negative 40 to 51 and 10: 556 of 1326, so that the sum is 770. Mean 663, variance
  // 51 * 52 * 103 / 24 = 106.68^2: 1.003 deviations.
  std::vector<double> differences;
  for (int i = 1; i <= 51; ++i) differences.push_back(i >= 40 || i == 10 ? -i : i);
  EXPECT_NEAR(signed_rank_p(differences), 0.15794, 1e-5);
}

TEST(WilcoxonPruner, PrunesWhatIsWorseOnNearlyEverySample) {
  const Reports best = {{0, 1}, {1, 1}, {2, 1}, {3, 1}, {4, 1}};
  const Reports worse = {{0, 2}, {1, 3}, {2, 4}, {3, 5}, {4, 6}};
  EXPECT_TRUE(wilcoxon_prunes(worse, best));
  EXPECT_FALSE(wilcoxon_prunes(worse, best, {.p_threshold = 1 / 32.0}));
  EXPECT_FALSE(wilcoxon_prunes(worse, best, {.startup_steps = 6}));
  EXPECT_FALSE(wilcoxon_prunes(best, worse));
}

TEST(WilcoxonPruner, KeepsATrialWhoseMeanIsBetter) {
  const Reports best = {{0, 1}, {1, 1}, {2, 1}, {3, 1}, {4, 1}, {5, 100}};
  EXPECT_FALSE(wilcoxon_prunes({{0, 2}, {1, 3}, {2, 4}, {3, 5}, {4, 6}}, best));
}

TEST(WilcoxonPruner, ComparesCommonSamplesOnly) {
  const Reports best = {{0, 1}, {1, 1}};
  EXPECT_FALSE(wilcoxon_prunes({{1, 2}, {2, 9}, {3, 9}, {4, 9}, {5, 9}}, best));
}

TEST(WilcoxonPruner, SaysNothingAboutWhatIsNotFinite) {
  const double inf = std::numeric_limits<double>::infinity();
  const Reports best = {{0, 1}, {1, 1}, {2, 1}, {3, 1}, {4, 1}};
  EXPECT_FALSE(wilcoxon_prunes({{0, 2}, {1, 3}, {2, 4}, {3, 5}, {4, inf}}, best));
  EXPECT_FALSE(wilcoxon_prunes(best, {{0, -inf}, {1, 0}, {2, 0}, {3, 0}, {4, 0}}));
}

TEST(WilcoxonPruner, SaysWhatIsWrong) {
  EXPECT_EQ(message_of<InvalidInput>([] { (void)wilcoxon_prunes({}, {}, {.p_threshold = 2}); }),
            "wilcoxon pruner: got a threshold of 2 and 2 startup steps, expected 0 to 1 and 0 or "
            "more");
}

}  // namespace
}  // namespace quantsearch
