#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "quantsearch/search/pruners.h"
#include "search/problems.h"

namespace quantsearch {
namespace {

const HalvingOptions kHalves{.reduction_factor = 2};  // rungs at steps 1, 2, 4, 8

TEST(SuccessiveHalving, WaitsForTheFirstRung) {
  const HalvingDecision decision = successive_halving({{0, 5}}, {}, {}, kHalves);
  EXPECT_FALSE(decision.prune);
  EXPECT_TRUE(decision.rungs.empty());
}

TEST(SuccessiveHalving, PromotesTheBestHalfOfThoseThatCame) {
  const std::vector<Rungs> others = {{3}, {4}, {6}};
  EXPECT_TRUE(successive_halving({{1, 5}}, {}, others, kHalves).prune);
  EXPECT_FALSE(successive_halving({{1, 4}}, {}, others, kHalves).prune);  // second of four, a tie
  EXPECT_EQ(successive_halving({{1, 5}}, {}, others, kHalves).rungs, Rungs{5});
}

TEST(SuccessiveHalving, PromotesOnlyTheBestWhileFewCame) {
  const std::vector<Rungs> others = {{3}};
  EXPECT_TRUE(successive_halving({{1, 3.1}}, {}, others, {}).prune);
  EXPECT_FALSE(successive_halving({{1, 3}}, {}, others, {}).prune);
}

TEST(SuccessiveHalving, PassesSeveralRungsAtOnce) {
  const HalvingDecision decision = successive_halving({{4, 7}}, {9}, {}, kHalves);
  EXPECT_FALSE(decision.prune);
  EXPECT_EQ(decision.rungs, (Rungs{9, 7, 7}));
  // The second rung is where it fails.
  const std::vector<Rungs> others = {{8, 6}};
  const HalvingDecision failed = successive_halving({{4, 7}}, {}, others, kHalves);
  EXPECT_TRUE(failed.prune);
  EXPECT_EQ(failed.rungs, (Rungs{7, 7}));
}

TEST(SuccessiveHalving, StartsLaterWithAnEarlyStoppingRate) {
  const HalvingOptions options{
      .least_resource = 2, .reduction_factor = 3, .least_early_stopping_rate = 1};  // 6, 18
  const std::vector<Rungs> others = {{0}};
  EXPECT_FALSE(successive_halving({{5, 9}}, {}, others, options).prune);
  EXPECT_TRUE(successive_halving({{6, 9}}, {}, others, options).prune);
}

TEST(SuccessiveHalving, PromotesNoOneBeforeTheBootstrapIsOver) {
  const std::vector<Rungs> others = {{3}, {4}};
  const HalvingOptions options{.reduction_factor = 2, .bootstrap = 3};
  EXPECT_TRUE(successive_halving({{1, 0}}, {}, others, options).prune);
  const std::vector<Rungs> more = {{3}, {4}, {5}};
  EXPECT_FALSE(successive_halving({{1, 0}}, {}, more, options).prune);
}

TEST(SuccessiveHalving, PrunesWhatIsNoNumber) {
  const HalvingDecision decision =
      successive_halving({{1, std::numeric_limits<double>::quiet_NaN()}}, {}, {}, kHalves);
  EXPECT_TRUE(decision.prune);
  EXPECT_TRUE(decision.rungs.empty());
}

TEST(SuccessiveHalving, SaysWhatIsWrong) {
  EXPECT_EQ(message_of<InvalidInput>(
                [] { (void)successive_halving({}, {}, {}, {.reduction_factor = 1}); }),
            "successive halving: got a least resource of 1, a factor of 1, a rate of 0 and a "
            "bootstrap of 0, expected at least 1, 2, 0 and 0");
}

}  // namespace
}  // namespace quantsearch
