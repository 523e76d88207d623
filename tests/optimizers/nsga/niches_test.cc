#include "optimizers/nsga/niches.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

namespace quantsearch {
namespace {

TEST(ReferenceDirections, DivideTheObjectivesIntoEqualParts) {
  EXPECT_EQ(reference_directions(2, 5),
            (std::vector<Losses>{{0, 1}, {0.25, 0.75}, {0.5, 0.5}, {0.75, 0.25}, {1, 0}}));
  EXPECT_EQ(reference_directions(1, 50), (std::vector<Losses>{{1}}));
}

TEST(ReferenceDirections, AreTheFinestLayerWithinTheLimit) {
  EXPECT_EQ(reference_directions(3, 50).size(), 45);  // 8 parts: C(10, 2)
  EXPECT_EQ(reference_directions(5, 50).size(), 50);  // 3 parts: C(7, 3) = 35; 15 inside
  EXPECT_EQ(reference_directions(3, 2).size(), 3);    // always the corners
}

TEST(ReferenceDirections, OfManyObjectivesHaveAnInnerLayer) {
  const auto directions = reference_directions(10, 70);  // 2 parts: 55, and 10 inside
  ASSERT_EQ(directions.size(), 65);
  EXPECT_NEAR(directions.back()[0], 0.55, 1e-15);
  EXPECT_NEAR(directions.back()[1], 0.05, 1e-15);
  for (const Losses& direction : directions)
    EXPECT_NEAR(std::accumulate(direction.begin(), direction.end(), 0.0), 1, 1e-12);
}

TEST(Normalised, DividesByTheInterceptsOfTheExtremes) {
  const std::vector<Losses> points = {{11, 20}, {10, 22}, {10.5, 20.5}};
  EXPECT_EQ(normalised(points), (std::vector<Losses>{{1, 0}, {0, 1}, {0.5, 0.25}}));
}

TEST(Normalised, DividesByTheLargestValueWithoutAPlane) {
  EXPECT_EQ(normalised(std::vector<Losses>{{1, 5}, {3, 9}}), (std::vector<Losses>{{0, 0}, {1, 1}}));
  EXPECT_EQ(normalised(std::vector<Losses>{{7, 7}}), (std::vector<Losses>{{0, 0}}));
}

TEST(NearestDirection, IsByPerpendicularDistance) {
  const std::vector<Losses> directions = {{1, 0}, {0.5, 0.5}, {0, 1}};
  EXPECT_EQ(nearest_direction({3, 3}, directions).direction, 1);
  EXPECT_NEAR(nearest_direction({3, 3}, directions).distance, 0, 1e-7);
  EXPECT_EQ(nearest_direction({1, 0.1}, directions).direction, 0);
  EXPECT_NEAR(nearest_direction({1, 0.1}, directions).distance, 0.1, 1e-12);
  EXPECT_EQ(nearest_direction({0, 0}, directions).direction, 0);
}

TEST(FillNiches, TakesTheNearestOfAnEmptyNiche) {
  // (0.6, 0.4) and (0.45, 0.5) are nearest to the diagonal, which has no settled member.
  const std::vector<Losses> points = {{1, 0}, {0, 1}, {0.9, 0.05}, {0.6, 0.4}, {0.45, 0.5}};
  const std::vector<Losses> directions = {{1, 0}, {0.5, 0.5}, {0, 1}};
  RandomStream random(1);
  EXPECT_EQ(fill_niches(points, 2, 1, directions, random), std::vector<std::size_t>{4});
}

TEST(FillNiches, FillsNichesEvenlyAndThenTheRest) {
  // All candidates are nearest to the diagonal, so one niche takes both.
  const std::vector<Losses> points = {{1, 0}, {0, 1}, {0.5, 0.5}, {0.6, 0.6}};
  const std::vector<Losses> directions = {{1, 0}, {0.5, 0.5}, {0, 1}};
  RandomStream random(1);
  EXPECT_EQ(fill_niches(points, 2, 2, directions, random), (std::vector<std::size_t>{2, 3}));
  // Both corners are empty, so they are filled before the diagonal, which has a member.
  const std::vector<Losses> corners = {{0.5, 0.5}, {0.6, 0.6}, {1, 0}, {0, 1}};
  const auto chosen = fill_niches(corners, 1, 2, directions, random);
  EXPECT_EQ(std::min(chosen[0], chosen[1]), 2);
  EXPECT_EQ(std::max(chosen[0], chosen[1]), 3);
}

}  // namespace
}  // namespace quantsearch
