#include "optimizers/pareto/crowding.h"

#include <gtest/gtest.h>

#include <limits>

namespace quantsearch {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST(CrowdingDistances, AreThoseComputedByHand) {
  // Both ranges are 10: (6 - 0) / 10 + (10 - 3) / 10, (10 - 1) / 10 + (5 - 0) / 10.
  const std::vector<Losses> front = {{6, 3}, {0, 10}, {10, 0}, {1, 5}};
  const auto distances = crowding_distances(front);
  EXPECT_NEAR(distances[0], 0.9 + 0.5, 1e-15);
  EXPECT_EQ(distances[1], kInfinity);
  EXPECT_EQ(distances[2], kInfinity);
  EXPECT_NEAR(distances[3], 0.6 + 0.7, 1e-15);
}

TEST(CrowdingDistances, SkipAnObjectiveThatIsTheSameForAll) {
  const std::vector<Losses> front = {{0, 7}, {2, 7}, {10, 7}};
  EXPECT_EQ(crowding_distances(front), (std::vector<double>{kInfinity, 1.0, kInfinity}));
  EXPECT_EQ(crowding_distances(std::vector<Losses>{{1, 1}, {1, 1}}), (std::vector<double>{0, 0}));
}

TEST(CrowdingDistances, SkipAnObjectiveOfInfiniteRange) {
  const std::vector<Losses> front = {{0, kInfinity}, {1, 3}, {4, 0}};
  EXPECT_EQ(crowding_distances(front), (std::vector<double>{kInfinity, 1.0, kInfinity}));
}

TEST(CrowdingDistances, OfOnePointAreZeroAndOfNoneEmpty) {
  EXPECT_EQ(crowding_distances(std::vector<Losses>{{1, 2}}), std::vector<double>{0});
  EXPECT_TRUE(crowding_distances({}).empty());
}

}  // namespace
}  // namespace quantsearch
