#include "optimizers/tpe/tpe_optimizer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "optimizers/histories.h"
#include "quantsearch/base/error.h"

namespace quantsearch {
namespace {

double squares(const Coordinates& point) {
  double sum = 0;
  for (const double x : point) sum += (x - 1) * (x - 1);
  return sum;
}

double distance(const Coordinates& one, const Coordinates& other) {
  double sum = 0;
  for (std::size_t i = 0; i < one.size(); ++i) sum += (one[i] - other[i]) * (one[i] - other[i]);
  return std::sqrt(sum);
}

template <typename Function>
double best_found(Optimizer& optimizer, int trials, const Function& function) {
  double best = std::numeric_limits<double>::infinity();
  for (int number = 0; number < trials; ++number) {
    const auto point = optimizer.ask(number, {});
    const double value = function(*point);
    best = std::min(best, value);
    optimizer.tell({.number = number, .at = *point, .objectives = {value}});
  }
  return best;
}

TEST(TpeOptimizer, FindsBetterPointsThanRandomSearch) {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    const double tpe = best_found(*tpe_optimizer(box(4), {.seed = seed}), 120, squares);
    const double random = best_found(*random_optimizer(box(4), {.seed = seed}), 120, squares);
    EXPECT_LT(tpe, 0.3 * random) << seed;
  }
}

/// The points proposed in turn, of an optimizer that looks at `most` trials.
std::vector<Coordinates> proposals(std::size_t most, int count) {
  const auto optimizer = tuned_tpe_optimizer(box(2), {.seed = 5}, {.most_trials = most});
  std::vector<Coordinates> points;
  for (int number = 0; number < count; ++number) {
    points.push_back(*optimizer->ask(number, {}));
    optimizer->tell(
        {.number = number, .at = points.back(), .objectives = {squares(points.back())}});
  }
  return points;
}

TEST(TpeOptimizer, ForgetsMostTrialsOnlyWhenThereAreMany) {
  const std::vector<Coordinates> all = proposals(10'000, 60);
  const std::vector<Coordinates> some = proposals(40, 60);
  // 50 trials are a quarter more than 40.
  EXPECT_TRUE(std::equal(all.begin(), all.begin() + 50, some.begin()));
  EXPECT_NE(all, some);
  EXPECT_EQ(some, proposals(40, 60));
}

TEST(TpeOptimizer, FindsBetterPointsThanRandomSearchWithAPartOfItsTrials) {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    const auto bounded = tuned_tpe_optimizer(box(4), {.seed = seed}, {.most_trials = 60});
    const double tpe = best_found(*bounded, 240, squares);
    const double random = best_found(*random_optimizer(box(4), {.seed = seed}), 240, squares);
    EXPECT_LT(tpe, 0.3 * random) << seed;
  }
}

TEST(TpeOptimizer, LearnsCategoriesAndGrids) {
  Domain domain;
  domain.dimensions.assign(8, Categories{.count = 4});
  domain.dimensions.emplace_back(IntRange{.low = 0, .high = 30});
  const auto misses = [](const Coordinates& point) {
    double sum = std::abs(point[8] - 23);
    for (std::size_t i = 0; i < 8; ++i) sum += point[i] == static_cast<double>(i % 4) ? 0 : 10;
    return sum;
  };
  // Random search ends at 30 or more, with three categories wrong.
  for (const std::uint64_t seed : {1U, 2U, 3U})
    EXPECT_LT(best_found(*tpe_optimizer(domain, {.seed = seed}), 150, misses), 20) << seed;
}

TEST(TpeOptimizer, ProposesEveryDistinctPointOnceAndThenNothing) {
  Domain domain{.dimensions = {Categories{.count = 3}, IntRange{.low = 0, .high = 20},
                               IntRange{.low = 4, .high = 4}}};
  domain.canonical = [](const Coordinates& point) -> std::optional<Coordinates> {
    if (point[0] == 2) return std::nullopt;
    if (point[0] == 0) return Coordinates{0, kInactive, 4};
    return point;
  };
  const auto optimizer = tpe_optimizer(domain, {.seed = 3});
  std::set<std::pair<double, double>> seen;
  for (int number = 0; number < 22; ++number) {
    const auto point = optimizer->ask(number, {});
    ASSERT_TRUE(point);
    EXPECT_EQ(is_active((*point)[1]), (*point)[0] == 1);
    EXPECT_EQ((*point)[2], 4);
    EXPECT_TRUE(seen.emplace((*point)[0], is_active((*point)[1]) ? (*point)[1] : -1).second);
    optimizer->tell({.number = number, .at = *point, .objectives = {double(number % 7)}});
  }
  EXPECT_FALSE(optimizer->ask(22, {}));
}

std::unique_ptr<Optimizer> after_thirty(const TpeOptions& options, int from = 0) {
  auto optimizer = tpe_optimizer(box(3), options);
  RandomStream random(8);
  std::vector<Observation> observations;
  for (int number = 0; number < 30; ++number) {
    Observation& one = observations.emplace_back();
    one.number = number;
    for (int i = 0; i < 3; ++i) one.at.push_back(10 * random.uniform() - 5);
    one.objectives = {squares(one.at)};
  }
  std::ranges::rotate(observations, observations.begin() + from);
  for (const Observation& one : observations) optimizer->tell(one);
  return optimizer;
}

TEST(TpeOptimizer, DependsOnlyOnTheResultsTold) {
  const auto one = after_thirty({.seed = 5});
  const auto other = after_thirty({.seed = 5});
  const std::vector<Pending> pending = {{.number = 30, .at = {1, 1, 1}},
                                        {.number = 31, .at = {1, 2, 1}}};
  const auto expected = one->ask(40, {});
  for (int number = 32; number < 36; ++number) (void)other->ask(number, pending);
  EXPECT_EQ(other->ask(40, {}), expected);
  EXPECT_NE(other->ask(41, {}), expected);
  EXPECT_NE(after_thirty({.seed = 6})->ask(40, {}), expected);
}

TEST(TpeOptimizer, WeightsTrialsByNumberInAnyOrderOfTelling) {
  EXPECT_EQ(after_thirty({.seed = 5})->ask(40, {}), after_thirty({.seed = 5}, 11)->ask(40, {}));
}

/// Returns the mean distance of a hundred proposals from a point.
double mean_distance(const TpeOptions& options, const std::vector<Pending>& pending,
                     const Coordinates& from) {
  const auto optimizer = after_thirty(options);
  double sum = 0;
  for (int number = 100; number < 200; ++number)
    sum += distance(*optimizer->ask(number, pending), from);
  return sum / 100;
}

TEST(TpeOptimizer, KeepsAwayFromPendingPointsWhenTheyCountAsBad) {
  std::vector<Pending> pending;
  for (int i = 0; i < 5; ++i) pending.push_back({.number = 30 + i, .at = {1 + 0.01 * i, 1, 1}});
  const auto from_them = [&](bool liar) {
    return mean_distance({.seed = 5, .constant_liar = liar}, pending, pending[0].at);
  };
  EXPECT_GT(from_them(true), 1.1 * from_them(false));
}

TEST(TpeOptimizer, GathersAroundTheBestTrialWhileResultsAreMissing) {
  RandomStream random(8);
  Coordinates best;
  for (int number = 0; number < 30; ++number) {
    Coordinates at;
    for (int i = 0; i < 3; ++i) at.push_back(10 * random.uniform() - 5);
    if (best.empty() || squares(at) < squares(best)) best = at;
  }
  const std::vector<Pending> far = {{.number = 30, .at = {-4, -4, -4}}};
  EXPECT_LT(mean_distance({.seed = 5}, far, best), 0.9 * mean_distance({.seed = 5}, {}, best));
}

TEST(TpeOptimizer, ProposesABatchOfDifferentPoints) {
  const auto optimizer = after_thirty({.seed = 5});
  std::vector<Pending> pending;
  for (int number = 30; number < 46; ++number) {
    const Coordinates point = *optimizer->ask(number, pending);
    for (const Pending& other : pending) EXPECT_GT(distance(point, other.at), 0.02) << number;
    pending.push_back({.number = number, .at = point});
  }
}

TEST(TpeOptimizer, WeightsRanksOnlyWhilePointsArePending) {
  const auto equal = [](const std::vector<Pending>& pending) {
    const auto usual = tpe_optimizer(box(3), {.seed = 5});
    const auto unranked = tuned_tpe_optimizer(box(3), {.seed = 5}, {.rank_power = 0});
    bool all = true;
    for (int number = 0; number < 60; ++number) {
      const Coordinates point = *usual->ask(number, pending);
      all = all && *unranked->ask(number, pending) == point;
      const Observation result{.number = number, .at = point, .objectives = {squares(point)}};
      usual->tell(result);
      unranked->tell(result);
    }
    return all;
  };
  EXPECT_TRUE(equal({}));
  EXPECT_FALSE(equal({{.number = 100, .at = {1, 1, 1}}}));
}

TEST(TpeOptimizer, StaysOnTheFeasibleSide) {
  const auto optimizer = tpe_optimizer(box(2), {.seed = 2});
  int feasible = 0;
  for (int number = 0; number < 100; ++number) {
    const Coordinates point = *optimizer->ask(number, {});
    const double excess = point[0] + 3;  // a fifth of the box is feasible, the optimum is not
    optimizer->tell(
        {.number = number, .at = point, .objectives = {squares(point)}, .constraints = {excess}});
    if (number >= 50) feasible += excess <= 0;
  }
  EXPECT_GT(feasible, 25);
}

TEST(TpeOptimizer, LearnsFromPrunedTrialsAndNotFromFailedOnes) {
  const auto told = [](Outcome outcome) {
    auto optimizer = after_thirty({.seed = 4});
    for (int number = 30; number < 60; ++number) {
      Observation one{.number = number, .at = {-4 + 0.1 * (number - 30), 4, 4}, .outcome = outcome};
      if (outcome != Outcome::failed) one.objectives = {100};
      optimizer->tell(one);
    }
    return optimizer->ask(70, {});
  };
  EXPECT_EQ(told(Outcome::failed), after_thirty({.seed = 4})->ask(70, {}));
  EXPECT_NE(told(Outcome::pruned), told(Outcome::failed));
}

TEST(TpeOptimizer, SpreadsAlongTheFrontOfTwoObjectives) {
  const auto optimizer = tpe_optimizer(box(2), {.seed = 7, .objectives = 2});
  int near = 0;
  for (int number = 0; number < 150; ++number) {
    const Coordinates point = *optimizer->ask(number, {});
    const double left = std::hypot(point[0] + 1, point[1]);
    const double right = std::hypot(point[0] - 1, point[1]);
    optimizer->tell({.number = number, .at = point, .objectives = {left, right}});
    // The front is the segment between both centres; 4 % of the box is within this distance of it.
    if (number >= 100) near += left + right < 3;
  }
  EXPECT_GT(near, 15);
}

TEST(TpeOptimizer, RefusesInvalidOptionsAndObservations) {
  const auto message = [](const TpeOptions& options) -> std::string {
    try {
      (void)tpe_optimizer(box(1), options);
    } catch (const InvalidInput& error) {
      return error.what();
    }
    return "nothing was thrown";
  };
  EXPECT_EQ(message({.objectives = 0}), "search: tpe: got no objectives, expected at least 1");
  EXPECT_EQ(message({.startup_trials = -1}),
            "search: tpe: got -1 start-up trials, expected 0 or more");
  EXPECT_EQ(message({.candidates = 0}), "search: tpe: got 0 candidates, expected at least 1");
}

}  // namespace
}  // namespace quantsearch
