#include "optimizers/pareto/subset.h"

#include <gtest/gtest.h>

#include <limits>

#include "optimizers/pareto/brute_force.h"
#include "optimizers/pareto/hypervolume.h"

namespace quantsearch {
namespace {

using Indices = std::vector<std::size_t>;

/// The obvious greedy algorithm, which tries every remaining point in each step.
Indices plain_greedy(const std::vector<Losses>& front, const Losses& reference, std::size_t count) {
  Indices chosen;
  std::vector<Losses> points;
  while (chosen.size() < count) {
    double most = -1;
    std::size_t best = 0;
    for (std::size_t i = 0; i < front.size(); ++i) {
      if (std::ranges::find(chosen, i) != chosen.end()) continue;
      auto with = points;
      with.push_back(front[i]);
      const double volume = hypervolume(with, reference);
      if (volume > most + 1e-12) {
        most = volume;
        best = i;
      }
    }
    chosen.push_back(best);
    points.push_back(front[best]);
  }
  return chosen;
}

TEST(GreedyHypervolumeSubset, TakesTheLargestGainFirst) {
  // The boxes are 4, 9 and 4; after (2, 2) is chosen, the others add 1 each, and the lower index
  // comes first.
  const std::vector<Losses> front = {{1, 4}, {2, 2}, {4, 1}};
  EXPECT_EQ(greedy_hypervolume_subset(front, {5, 5}, 2), (Indices{1, 0}));
}

TEST(GreedyHypervolumeSubset, TakesEqualPointsLast) {
  const std::vector<Losses> pairs = {{2, 2}, {2, 2}, {1, 4}, {4, 1}};
  EXPECT_EQ(greedy_hypervolume_subset(pairs, {5, 5}, 3), (Indices{0, 2, 3}));
  const std::vector<Losses> triples = {{2, 2, 2}, {2, 2, 2}, {1, 4, 4}, {4, 1, 1}};
  EXPECT_EQ(greedy_hypervolume_subset(triples, {5, 5, 5}, 3), (Indices{0, 3, 2}));
}

TEST(GreedyHypervolumeSubset, TakesAllOrTheFirstPointsWithoutAComparison) {
  const std::vector<Losses> front = {{1, 4}, {2, 2}, {4, 1}};
  EXPECT_EQ(greedy_hypervolume_subset(front, {5, 5}, 9), (Indices{0, 1, 2}));
  EXPECT_EQ(greedy_hypervolume_subset(front, {std::numeric_limits<double>::infinity(), 5}, 2),
            (Indices{0, 1}));
  EXPECT_TRUE(greedy_hypervolume_subset({}, {5, 5}, 3).empty());
}

TEST(GreedyHypervolumeSubset, EqualsTheObviousAlgorithm) {
  RandomStream random(5);
  for (const std::size_t objectives : {2, 3, 4}) {
    const auto front = first_front_of(random_points(random, 200, objectives, 0));
    const Losses reference(objectives, 0.9);
    const std::size_t count = front.size() / 2;
    EXPECT_EQ(greedy_hypervolume_subset(front, reference, count),
              plain_greedy(front, reference, count))
        << objectives << " objectives, " << front.size() << " points";
  }
}

}  // namespace
}  // namespace quantsearch
