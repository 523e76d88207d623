#include "optimizers/pareto/hypervolume.h"

#include <gtest/gtest.h>

#include "optimizers/pareto/brute_force.h"

namespace quantsearch {
namespace {

TEST(Hypervolume, OfAStaircaseIsTheSumOfItsSteps) {
  // The steps have the widths 1, 2, 1 and the heights 1, 3, 4 under the reference (5, 5).
  const std::vector<Losses> points = {{1, 4}, {2, 2}, {4, 1}, {3, 3}, {2, 2}};
  EXPECT_EQ(hypervolume(points, {5, 5}), 1 * 1 + 2 * 3 + 1 * 4);
}

TEST(Hypervolume, OfTwoBoxesInSpaceCountsTheirOverlapOnce) {
  // 2*2*1 + 1*1*3 - 1*1*1.
  EXPECT_EQ(hypervolume(std::vector<Losses>{{1, 1, 2}, {2, 2, 0}}, {3, 3, 3}), 4 + 3 - 1);
}

TEST(Hypervolume, IgnoresPointsAtOrBeyondTheReference) {
  EXPECT_EQ(hypervolume(std::vector<Losses>{{0, 3}, {3, 0}, {4, -9}}, {3, 3}), 0);
  EXPECT_EQ(hypervolume({}, {3, 3}), 0);
  EXPECT_EQ(hypervolume(std::vector<Losses>{{5}, {2}, {1}}, {4}), 3);
}

TEST(Hypervolume, EqualsTheInclusionExclusionSum) {
  RandomStream random(2);
  for (std::size_t objectives = 1; objectives <= 5; ++objectives) {
    for (const std::uint64_t levels : {0, 3, 6}) {
      for (std::size_t count = 1; count <= 11; count += 5) {
        const auto points = random_points(random, count, objectives, levels);
        const Losses reference(objectives, levels == 0 ? 0.8 : static_cast<double>(levels) - 0.5);
        EXPECT_NEAR(hypervolume(points, reference), volume_by_subsets(points, reference), 1e-9)
            << objectives << " objectives, " << levels << " levels, " << count << " points";
      }
    }
  }
}

/// An independent computation of the same volume: the sum of what each point adds to those before
/// it.
TEST(Hypervolume, IsTheSumOfGainsInAnyOrder) {
  RandomStream random(3);
  for (const std::size_t objectives : {2, 3, 4, 6}) {
    const auto points = random_points(random, 60, objectives, 0);
    const Losses reference(objectives, 1.0);
    double sum = 0;
    for (std::size_t i = 0; i < points.size(); ++i)
      sum += hypervolume_gain(points[i], std::span(points).first(i), reference);
    EXPECT_NEAR(hypervolume(points, reference), sum, 1e-12);
  }
}

TEST(ExclusiveContributions, AreTheVolumeLostWithEachPoint) {
  const std::vector<Losses> points = {{1, 4}, {2, 2}, {4, 1}, {3, 3}};
  EXPECT_EQ(exclusive_contributions(points, {5, 5}), (std::vector<double>{1, 3, 1, 0}));
  EXPECT_EQ(exclusive_contributions(std::vector<Losses>{{1, 1}, {1, 1}}, {5, 5}),
            (std::vector<double>{0, 0}));
  RandomStream random(4);
  for (std::size_t objectives = 1; objectives <= 4; ++objectives) {
    const auto all = random_points(random, 12, objectives, 7);
    const Losses reference(objectives, 6.5);
    const auto contributions = exclusive_contributions(all, reference);
    for (std::size_t i = 0; i < all.size(); ++i) {
      auto rest = all;
      rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(i));
      EXPECT_NEAR(contributions[i], hypervolume(all, reference) - hypervolume(rest, reference),
                  1e-9);
    }
  }
}

TEST(ReferenceBeyond, IsATenthWorseThanTheWorst) {
  const Losses reference = reference_beyond(std::vector<Losses>{{10, -20, 0}, {5, -10, -3}});
  EXPECT_NEAR(reference[0], 11, 1e-12);
  EXPECT_NEAR(reference[1], -9, 1e-12);
  EXPECT_EQ(reference[2], 1e-12);
}

}  // namespace
}  // namespace quantsearch
