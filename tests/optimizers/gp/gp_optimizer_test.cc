#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "optimizers/gp/history.h"
#include "optimizers/histories.h"
#include "quantsearch/base/error.h"
#include "quantsearch/base/random.h"
#include "quantsearch/optimizers.h"

namespace quantsearch {
namespace {

Domain square() {
  return {.dimensions = {FloatRange{.low = -5, .high = 5}, FloatRange{.low = -5, .high = 5}}};
}

double bowl(const Coordinates& at) { return (at[0] - 1) * (at[0] - 1) + (at[1] + 2) * (at[1] + 2); }

using ObservationFunction = std::function<Observation(const Coordinates& at)>;

Observation of_value(double value) { return {.at = {}, .objectives = {value}}; }

/// Asks for points one after the other and tells their results.
std::vector<Observation> run(Optimizer& optimizer, int trials,
                             const ObservationFunction& function) {
  std::vector<Observation> history;
  for (int number = 0; number < trials; ++number) {
    const auto point = optimizer.ask(number, {});
    if (!point) break;
    Observation observation = function(*point);
    observation.number = number;
    observation.at = *point;
    optimizer.tell(observation);
    history.push_back(std::move(observation));
  }
  return history;
}

TEST(GpOptimizer, FindsTheBottomOfABowl) {
  for (const std::uint64_t seed : {0u, 1u, 2u}) {
    const auto optimizer = gp_optimizer(square(), {.seed = seed});
    const auto history =
        run(*optimizer, 25, [](const Coordinates& at) { return of_value(bowl(at)); });
    EXPECT_LT(best_of(history), 0.01) << seed;
  }
}

TEST(GpOptimizer, FindsTheBestCategoriesAndNumbersTogether) {
  const Domain domain{.dimensions = {Categories{.count = 4}, Categories{.count = 4},
                                     IntRange{.low = 0, .high = 40},
                                     Categories{.count = 5, .ordered = true}}};
  const auto optimizer = gp_optimizer(domain, {.seed = 3});
  const auto history = run(*optimizer, 60, [](const Coordinates& at) {
    const double names = (at[0] == 2 ? 0 : 1) + (at[1] == 3 ? 0 : 1);
    return of_value(names + std::pow(at[2] - 31, 2) / 100 + std::abs(at[3] - 1));
  });
  EXPECT_LT(best_of(history), 0.05);
}

TEST(GpOptimizer, GivesTheSameHistoryForTheSameSeed) {
  const auto function = [](const Coordinates& at) { return of_value(bowl(at)); };
  const auto first = run(*gp_optimizer(square(), {.seed = 9}), 18, function);
  const auto second = run(*gp_optimizer(square(), {.seed = 9}), 18, function);
  for (std::size_t i = 0; i < first.size(); ++i) EXPECT_EQ(first[i].at, second[i].at) << i;
  const auto other = run(*gp_optimizer(square(), {.seed = 10}), 1, function);
  EXPECT_NE(first[0].at, other[0].at);
}

TEST(GpOptimizer, ProposesTheSamePointWithoutEarlierAsks) {
  // A resumed search tells all results and asks once; fits must not depend on earlier asks.
  const auto function = [](const Coordinates& at) { return of_value(bowl(at)); };
  const auto optimizer = gp_optimizer(square(), {.seed = 5});
  const auto history = run(*optimizer, 50, function);
  const auto resumed = gp_optimizer(square(), {.seed = 5});
  for (const Observation& one : history) resumed->tell(one);
  EXPECT_EQ(resumed->ask(50, {}), optimizer->ask(50, {}));
}

TEST(GpOptimizer, NeverRepeatsAPointAndStopsWhenTheDomainIsExhausted) {
  const Domain domain{.dimensions = {Categories{.count = 3}, IntRange{.low = 1, .high = 7}}};
  const auto optimizer = gp_optimizer(domain, {.seed = 1, .startup_trials = 4});
  const auto history = run(
      *optimizer, 30, [](const Coordinates& at) { return of_value(at[0] + std::abs(at[1] - 4)); });
  std::set<Coordinates> points;
  for (const Observation& one : history) points.insert(one.at);
  EXPECT_EQ(history.size(), 21u);
  EXPECT_EQ(points.size(), 21u);
}

TEST(GpOptimizer, SearchesListedPointsOnly) {
  std::vector<Coordinates> points;
  for (int i = 0; i < 60; ++i) points.push_back({-5 + i / 6.0, -5 + (i * 7 % 60) / 6.0});
  Domain domain = square();
  domain.points = std::make_shared<const std::vector<Coordinates>>(points);
  domain.canonical = [points](const Coordinates& at) -> std::optional<Coordinates> {
    if (std::ranges::find(points, at) == points.end()) return std::nullopt;
    return at;
  };
  double best = std::numeric_limits<double>::infinity();
  for (const Coordinates& point : points) best = std::min(best, bowl(point));
  const auto optimizer = gp_optimizer(domain, {.seed = 2, .startup_trials = 5});
  const auto history =
      run(*optimizer, 25, [](const Coordinates& at) { return of_value(bowl(at)); });
  EXPECT_DOUBLE_EQ(best_of(history), best);
}

TEST(GpOptimizer, LeavesOutDimensionsWithoutEffect) {
  Domain domain{.dimensions = {Categories{.count = 2}, FloatRange{}, FloatRange{}}};
  domain.canonical = [](const Coordinates& at) -> std::optional<Coordinates> {
    Coordinates canonical = at;
    canonical[at[0] == 0 ? 2 : 1] = kInactive;
    return canonical;
  };
  const auto optimizer = gp_optimizer(domain, {.seed = 4});
  const auto history = run(*optimizer, 40, [](const Coordinates& at) {
    EXPECT_NE(is_active(at[1]), is_active(at[2]));
    return of_value(at[0] == 0 ? 1 + std::abs(at[1] - 0.5) : std::abs(at[2] - 0.8));
  });
  EXPECT_LT(best_of(history), 0.02);
}

TEST(GpOptimizer, StaysWhereConstraintsHold) {
  // The bottom of the bowl is at (1, -2); points with x <= 0 are feasible.
  const auto optimizer = gp_optimizer(square(), {.seed = 6});
  const auto history = run(*optimizer, 40, [](const Coordinates& at) {
    Observation one = of_value(bowl(at));
    one.constraints = {at[0]};
    return one;
  });
  double best = std::numeric_limits<double>::infinity();
  int infeasible = 0;
  for (std::size_t i = 10; i < history.size(); ++i) {
    if (history[i].constraints[0] > 0) {
      ++infeasible;
    } else {
      best = std::min(best, history[i].objectives[0]);
    }
  }
  EXPECT_LT(best, 1.1);  // the best feasible value is 1, on the border
  EXPECT_LT(infeasible, 20);
}

TEST(GpOptimizer, FindsAFeasiblePoint) {
  const auto optimizer = gp_optimizer(square(), {.seed = 7});
  const auto history = run(*optimizer, 40, [](const Coordinates& at) {
    Observation one = of_value(0);
    one.constraints = {std::hypot(at[0] - 3.3, at[1] - 4.1) - 0.6};
    return one;
  });
  EXPECT_TRUE(
      std::ranges::any_of(history, [](const Observation& one) { return one.constraints[0] <= 0; }));
}

TEST(GpOptimizer, SpreadsPendingPoints) {
  // There are few trials, so that several regions are promising; without pending points each ask
  // proposes the same point.
  const auto optimizer = gp_optimizer(square(), {.seed = 8});
  (void)run(*optimizer, 11, [](const Coordinates& at) { return of_value(bowl(at)); });
  const auto distance = [](const Coordinates& a, const Coordinates& b) {
    return std::hypot(a[0] - b[0], a[1] - b[1]);
  };
  const auto alone = optimizer->ask(12, {});
  ASSERT_TRUE(alone);
  EXPECT_LT(distance(*alone, *optimizer->ask(14, {})), 1e-2);
  std::vector<Pending> pending;
  for (int number = 12; number < 18; ++number) {
    const auto point = optimizer->ask(number, pending);
    ASSERT_TRUE(point);
    for (const Pending& other : pending) EXPECT_GT(distance(*point, other.at), 5e-2) << number;
    pending.push_back({.number = number, .at = *point});
  }
}

TEST(GpOptimizer, AcceptsConstantsFailuresAndPrunedTrials) {
  const auto optimizer = gp_optimizer(square(), {.seed = 9});
  int count = 0;
  const auto history = run(*optimizer, 30, [&](const Coordinates&) {
    Observation one = of_value(2.5);
    ++count;
    if (count % 3 == 0) one = {.at = {}, .outcome = Outcome::failed};
    if (count % 3 == 1)
      one = {.at = {}, .outcome = Outcome::pruned, .objectives = {2.5}, .variance = 0.1};
    return one;
  });
  EXPECT_EQ(history.size(), 30u);
}

TEST(GpOptimizer, IsNotMisledByKnownNoise) {
  // Pruned trials report noisy values with a known variance, so that the exact ones decide.
  const auto optimizer = gp_optimizer(square(), {.seed = 11});
  RandomStream random(1);
  int count = 0;
  double best = std::numeric_limits<double>::infinity();
  (void)run(*optimizer, 45, [&](const Coordinates& at) {
    Observation one = of_value(bowl(at));
    if (++count % 2 == 0) {
      one.outcome = Outcome::pruned;
      one.variance = 100;
      one.objectives[0] += 10 * random.normal();
    } else {
      best = std::min(best, bowl(at));
    }
    return one;
  });
  EXPECT_LT(best, 0.2);
}

TEST(GpOptimizer, SpreadsOverAFront) {
  // Squared distances to (-2, 0) and (2, 0): the front is the line between them, f = ((2 + x)^2,
  // (2 - x)^2).
  const auto optimizer = gp_optimizer(square(), {.seed = 12, .objectives = 2});
  const auto history = run(*optimizer, 40, [](const Coordinates& at) {
    const double y = at[1] * at[1];
    return Observation{.at = {},
                       .objectives = {std::pow(at[0] + 2, 2) + y, std::pow(at[0] - 2, 2) + y}};
  });
  for (const double x : {-1.5, 0.0, 1.5}) {
    const bool is_near = std::ranges::any_of(history, [x](const Observation& one) {
      return std::hypot(one.at[0] - x, one.at[1]) < 0.6;
    });
    EXPECT_TRUE(is_near) << x;
  }
}

TEST(GpOptimizer, RefusesUnsupportedNumbersOfObjectives) {
  EXPECT_THROW((void)gp_optimizer(square(), {.objectives = 4}), Unsupported);
  EXPECT_THROW((void)gp_optimizer(square(), {.objectives = 0}), Unsupported);
  const auto optimizer = gp_optimizer(square(), {});
  EXPECT_THROW(optimizer->tell({.number = 3, .at = {0, 0}, .objectives = {1, 2}}), InvalidInput);
}

TEST(GpOptimizer, ProposesTheOnlyPointOfADomainOnce) {
  const Domain domain{.dimensions = {Categories{.count = 1}}};
  const auto optimizer = gp_optimizer(domain, {});
  EXPECT_EQ(optimizer->ask(0, {}), (Coordinates{0}));
  optimizer->tell({.number = 0, .at = {0}, .objectives = {1}});
  EXPECT_EQ(optimizer->ask(1, {}), std::nullopt);
}

TEST(FitPoints, AreDenseAtFirstAndStartFromScratchAtDoublings) {
  const auto points = gp::fit_points(10, 90);
  EXPECT_EQ(points[0].observations, 10u);
  EXPECT_TRUE(points[0].from_scratch);
  EXPECT_EQ(points[1].observations, 11u);
  EXPECT_FALSE(points[1].from_scratch);
  EXPECT_TRUE(points[10].from_scratch);  // 20 observations
  for (std::size_t i = 1; i < points.size(); ++i) {
    EXPECT_LE(points[i].observations, points[i - 1].observations * 17 / 16 + 1);
  }
}

TEST(Relevant, KeepsTheBestAndTheNewestOfMany) {
  std::vector<Observation> observations;
  for (int i = 0; i < 500; ++i) {
    observations.push_back({.number = i, .at = {}, .objectives = {i < 250 ? double(i) : 1e3}});
  }
  const auto kept = gp::relevant(observations, observations.size());
  EXPECT_EQ(kept.size(), 300u);
  EXPECT_EQ(kept.front()->number, 0);
  EXPECT_EQ(kept[149]->number, 149);
  EXPECT_EQ(kept[150]->number, 350);
}

}  // namespace
}  // namespace quantsearch
