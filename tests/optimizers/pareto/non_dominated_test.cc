#include "quantsearch/optimizers/non_dominated.h"

#include <gtest/gtest.h>

#include <limits>

#include "optimizers/pareto/brute_force.h"

namespace quantsearch {
namespace {

using Ranks = std::vector<std::int64_t>;

TEST(Dominates, NeedsNoWorseObjectiveAndABetterOne) {
  EXPECT_TRUE(dominates(Losses{1, 2}, Losses{1, 3}));
  EXPECT_FALSE(dominates(Losses{1, 2}, Losses{1, 2}));
  EXPECT_FALSE(dominates(Losses{1, 2}, Losses{0, 3}));
  EXPECT_FALSE(dominates(Losses{1, 3}, Losses{1, 2}));
}

TEST(ViolationOf, AddsOnlyPositiveConstraints) {
  EXPECT_EQ(violation_of(std::vector<double>{-5, 2, 0, 1.5}), 3.5);
  EXPECT_EQ(violation_of({}), 0);
}

TEST(NonDominatedRanks, AreThoseCountedByHand) {
  //  4 | a . . f .        a, b, c are dominated by none, d and f by b, e by d too (and by c).
  //  3 | . . . . .
  //  2 | . b d . .
  //  1 | . . . . e
  //  0 | . . . . c        (c and e share the first objective)
  const std::vector<Losses> points = {{0, 4}, {1, 2}, {4, 0}, {2, 2}, {4, 1}, {3, 4}, {1, 2}};
  EXPECT_EQ(non_dominated_ranks(points), (Ranks{0, 0, 0, 1, 1, 2, 0}));
}

TEST(NonDominatedRanks, OfOneObjectiveAreTheOrderOfItsValues) {
  EXPECT_EQ(non_dominated_ranks(std::vector<Losses>{{3}, {1}, {3}, {2}}), (Ranks{2, 0, 2, 1}));
}

TEST(NonDominatedRanks, TakeInfiniteLosses) {
  const double inf = std::numeric_limits<double>::infinity();
  EXPECT_EQ(non_dominated_ranks(std::vector<Losses>{{inf, 0}, {inf, inf}, {0, inf}, {-inf, -inf}}),
            (Ranks{1, 2, 1, 0}));
}

TEST(NonDominatedRanks, OfNoPointsAreEmpty) { EXPECT_TRUE(non_dominated_ranks({}).empty()); }

TEST(NonDominatedRanks, EqualThoseOfRepeatedlyRemovingTheFirstFront) {
  RandomStream random(1);
  for (std::size_t objectives = 1; objectives <= 5; ++objectives) {
    for (const std::uint64_t levels : {0, 2, 5, 20}) {
      const auto points = random_points(random, 80, objectives, levels);
      EXPECT_EQ(non_dominated_ranks(points), ranks_by_peeling(points))
          << objectives << " objectives, " << levels << " levels";
    }
  }
}

TEST(ConstrainedRanks, PutViolationsAfterAllFeasiblePoints) {
  const std::vector<Losses> points = {{9, 9}, {0, 0}, {1, 1}, {0, 0}, {0, 0}};
  const std::vector<double> violations = {0, 0.5, 0, 0.1, 0.5};
  EXPECT_EQ(constrained_ranks(points, violations), (Ranks{1, 3, 0, 2, 3}));
}

TEST(ConstrainedRanks, BeginAtZeroWhenNothingIsFeasible) {
  const std::vector<Losses> points = {{0, 0}, {1, 1}};
  EXPECT_EQ(constrained_ranks(points, std::vector<double>{2, 1}), (Ranks{1, 0}));
}

TEST(FrontsOf, ListTheMembersOfEachRank) {
  const auto fronts = fronts_of(Ranks{1, 0, 1, 2});
  EXPECT_EQ(fronts, (std::vector<std::vector<std::size_t>>{{1}, {0, 2}, {3}}));
}

}  // namespace
}  // namespace quantsearch
