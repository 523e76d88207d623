#include "finetune/solvers/nearest_plane.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "finetune/solvers/linear_algebra.h"
#include "finetune/solvers/problems.h"

namespace quantsearch::reconstruction {
namespace {

/// The lattice of a random layer with one group.
Lattice random_lattice(std::int64_t k, std::int64_t rows, std::uint64_t seed) {
  ThreadPool pool(1);
  const Problem problem = make_problem(
      {.shape = {.groups = 1, .rows = rows, .columns = k}, .count = 4 * k + 50, .seed = seed});
  return make_lattices(problem.layer, moments_of(problem, pool), {.ridge = 0.01}, pool, {}).front();
}

RowTask task_of(const Lattice& lattice, std::int64_t row, float scale) {
  const std::size_t k = lattice.order.size();
  return {.target = std::span(lattice.targets).subspan(static_cast<std::size_t>(row) * k, k),
          .grid = {.scale = scale, .low = -7, .high = 7}};
}

double slow_cost(const Lattice& lattice, const RowTask& task,
                 const std::vector<std::int32_t>& points) {
  const std::size_t k = points.size();
  double cost = 0;
  for (std::size_t i = 0; i < k; ++i) {
    for (std::size_t j = 0; j < k; ++j) {
      cost += (points[i] * static_cast<double>(task.grid.scale) - task.target[i]) *
              static_cast<double>(lattice.a[i * k + j]) *
              (points[j] * static_cast<double>(task.grid.scale) - task.target[j]);
    }
  }
  return cost;
}

double brute_force_cost(const Lattice& lattice, const RowTask& task) {
  std::vector<std::int32_t> points(lattice.order.size(), -7);
  double least = slow_cost(lattice, task, points);
  while (true) {
    std::size_t at = 0;
    while (at < points.size() && points[at] == 7) points[at++] = -7;
    if (at == points.size()) return least;
    ++points[at];
    least = std::min(least, slow_cost(lattice, task, points));
  }
}

/// A lattice of two inputs with A = [4 2; 2 5] = L L' and L = [2 0; 1 2].
Lattice lattice_by_hand() {
  return {.order = {0, 1},
          .a = {4, 2, 2, 5},
          .l = {2, 0, 1, 2},
          .u = {2, 1, 0, 2},
          .targets = {0.4F, 1.3F}};
}

TEST(NearestPlane, MatchesHandValues) {
  // Place 1: z = 1, d = -0.3, cost = (2 * -0.3)^2 = 0.36, e_0 = 1 * -0.3.
  // Place 0: wanted = 0.4 + 0.3 / 2 = 0.55, z = 1, d = 0.6, cost += (-0.3 + 1.2)^2 = 0.81.
  const Lattice lattice = lattice_by_hand();
  const RowTask task = task_of(lattice, 0, 1.0F);
  const std::vector<RowTask> tasks = {task};
  const RowResult row = nearest_plane(lattice, tasks).front();
  EXPECT_EQ(row.points, (std::vector<std::int32_t>{1, 1}));
  EXPECT_NEAR(row.cost, 1.17, 1e-6);
  EXPECT_NEAR(slow_cost(lattice, task, row.points), 1.17, 1e-6);
}

TEST(NearestPlane, StaysInsideTheGrid) {
  const Lattice lattice = lattice_by_hand();
  std::vector<RowTask> tasks = {task_of(lattice, 0, 1.0F)};
  tasks.front().grid.high = 0;
  EXPECT_EQ(nearest_plane(lattice, tasks).front().points, (std::vector<std::int32_t>{0, 0}));
  EXPECT_EQ(k_best(lattice, tasks.front(), 4).points, (std::vector<std::int32_t>{0, 0}));
}

TEST(NearestPlane, CostIsThatOfTheQuadratic) {
  for (const std::int64_t k : {1, 5, 64, 65, 200}) {
    const Lattice lattice = random_lattice(k, 20, 3);
    std::vector<RowTask> tasks;
    for (std::int64_t row = 0; row < 20; ++row) tasks.push_back(task_of(lattice, row, 0.4F));
    const std::vector<RowResult> results = nearest_plane(lattice, tasks);
    for (std::size_t row = 0; row < tasks.size(); ++row) {
      const double expected = slow_cost(lattice, tasks[row], results[row].points);
      ASSERT_NEAR(results[row].cost, expected, 1e-3 * expected + 1e-5);
    }
  }
}

TEST(NearestPlane, SolvesManyRowsLikeEachAlone) {
  const Lattice lattice = random_lattice(70, 33, 4);
  std::vector<RowTask> tasks;
  for (std::int64_t row = 0; row < 33; ++row) tasks.push_back(task_of(lattice, row, 0.3F));
  const std::vector<RowResult> together = nearest_plane(lattice, tasks);
  for (std::size_t row = 0; row < tasks.size(); ++row) {
    ASSERT_EQ(together[row].points,
              nearest_plane(lattice, std::span(tasks).subspan(row, 1)).front().points);
  }
}

TEST(KBest, EqualsNearestPlaneWithABeamOfOne) {
  const Lattice lattice = random_lattice(40, 10, 5);
  for (std::int64_t row = 0; row < 10; ++row) {
    const std::vector<RowTask> tasks = {task_of(lattice, row, 0.4F)};
    ASSERT_NEAR(k_best(lattice, tasks.front(), 1).cost, nearest_plane(lattice, tasks).front().cost,
                1e-3);
  }
}

TEST(KBest, CostIsThatOfItsPointsAndFallsWithTheBeam) {
  const Lattice lattice = random_lattice(40, 10, 6);
  double narrow = 0;
  double wide = 0;
  for (std::int64_t row = 0; row < 10; ++row) {
    const RowTask task = task_of(lattice, row, 0.4F);
    const RowResult one = k_best(lattice, task, 1);
    const RowResult many = k_best(lattice, task, 32);
    ASSERT_NEAR(many.cost, slow_cost(lattice, task, many.points), 1e-3 * many.cost + 1e-5);
    narrow += one.cost;
    wide += many.cost;
  }
  EXPECT_LT(wide, narrow);
}

TEST(KBest, FindsTheBestOfAllPointsWithAWideBeam) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const Lattice lattice = random_lattice(4, 3, seed);
    for (std::int64_t row = 0; row < 3; ++row) {
      const RowTask task = task_of(lattice, row, 0.5F);
      const double best = brute_force_cost(lattice, task);
      ASSERT_NEAR(k_best(lattice, task, 64).cost, best, 1e-4 * best + 1e-6);
    }
  }
}

TEST(Polish, LowersTheCostAndReportsIt) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const Lattice lattice = random_lattice(30, 4, seed);
    for (std::int64_t row = 0; row < 4; ++row) {
      const RowTask task = task_of(lattice, row, 0.4F);
      RowResult result{.points = std::vector<std::int32_t>(30, 0), .cost = 0};
      result.cost = slow_cost(lattice, task, result.points);
      const double before = result.cost;
      polish(lattice, task, 10, result);
      ASSERT_LT(result.cost, before);
      ASSERT_NEAR(result.cost, slow_cost(lattice, task, result.points), 1e-3 * result.cost + 1e-4);
    }
  }
}

TEST(Polish, KeepsTheOptimum) {
  const Lattice lattice = lattice_by_hand();
  const RowTask task = task_of(lattice, 0, 1.0F);
  RowResult best{.points = {1, 1}, .cost = slow_cost(lattice, task, {1, 1})};
  ASSERT_NEAR(best.cost, brute_force_cost(lattice, task), 1e-6);
  polish(lattice, task, 3, best);
  EXPECT_EQ(best.points, (std::vector<std::int32_t>{1, 1}));
}

}  // namespace
}  // namespace quantsearch::reconstruction
