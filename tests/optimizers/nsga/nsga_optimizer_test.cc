#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>
#include <set>

#include "optimizers/pareto/hypervolume.h"
#include "quantsearch/base/error.h"
#include "quantsearch/optimizers.h"
#include "support/messages.h"

namespace quantsearch {
namespace {

Domain unit_box(std::size_t dimensions) {
  return {.dimensions = std::vector<SearchDimension>(dimensions, FloatRange{.low = 0, .high = 1})};
}

using Values = std::function<Losses(const Coordinates& point)>;

/// Runs some trials and returns their losses.
std::vector<Losses> search(Optimizer& optimizer, const Values& values, int trials) {
  std::vector<Losses> found;
  for (int number = 0; number < trials; ++number) {
    const auto point = optimizer.ask(number, {});
    if (!point) break;
    found.push_back(values(*point));
    optimizer.tell({.number = number, .at = *point, .objectives = found.back()});
  }
  return found;
}

Losses zdt1(const Coordinates& x) {
  double sum = 0;
  for (std::size_t i = 1; i < x.size(); ++i) sum += x[i];
  const double g = 1 + 9 * sum / static_cast<double>(x.size() - 1);
  return {x[0], g * (1 - std::sqrt(x[0] / g))};
}

Losses zdt2(const Coordinates& x) {
  double sum = 0;
  for (std::size_t i = 1; i < x.size(); ++i) sum += x[i];
  const double g = 1 + 9 * sum / static_cast<double>(x.size() - 1);
  return {x[0], g - x[0] * x[0] / g};
}

Losses dtlz2(const Coordinates& x) {
  constexpr double kQuarter = std::numbers::pi / 2;
  double radius = 1;
  for (std::size_t i = 2; i < x.size(); ++i) radius += (x[i] - 0.5) * (x[i] - 0.5);
  return {radius * std::cos(x[0] * kQuarter) * std::cos(x[1] * kQuarter),
          radius * std::cos(x[0] * kQuarter) * std::sin(x[1] * kQuarter),
          radius * std::sin(x[0] * kQuarter)};
}

TEST(NsgaOptimizer, ApproachesTheFrontOfZdt1) {
  // The whole front dominates 1.1 * 1.1 - 1/3 = 0.877 of the box up to (1.1, 1.1); random points
  // (whose best g is near 3) dominate none of it.
  for (const std::uint64_t seed : {1, 2, 3}) {
    for (const bool reference_points : {false, true}) {
      const auto optimizer =
          nsga_optimizer(unit_box(8), {.seed = seed, .reference_points = reference_points});
      EXPECT_GT(hypervolume(search(*optimizer, zdt1, 1500), {1.1, 1.1}), 0.75);
    }
  }
}

TEST(NsgaOptimizer, ApproachesTheConcaveFrontOfZdt2) {
  // The whole front dominates 1.1 * 1.1 - 2/3 = 0.543. A population of 50 often loses one end of a
  // concave front early. One end alone dominates 0.1 * 1.1.
  for (const std::uint64_t seed : {1, 2, 3}) {
    const auto optimizer = nsga_optimizer(unit_box(8), {.seed = seed});
    EXPECT_GT(hypervolume(search(*optimizer, zdt2, 1500), {1.1, 1.1}), 0.11);
  }
}

TEST(NsgaOptimizer, SpreadsOverTheSphereOfDtlz2) {
  // The whole front dominates 1.1^3 - pi / 6 = 0.807 of the box.
  for (const std::uint64_t seed : {1, 2, 3}) {
    for (const bool reference_points : {false, true}) {
      const auto optimizer = nsga_optimizer(
          unit_box(6), {.seed = seed, .objectives = 3, .reference_points = reference_points});
      EXPECT_GT(hypervolume(search(*optimizer, dtlz2, 1500), {1.1, 1.1, 1.1}), 0.6);
    }
  }
}

TEST(NsgaOptimizer, FindsTheTradeOffsBetweenTwoIntegerPoints) {
  const Domain domain{.dimensions =
                          std::vector<SearchDimension>(8, IntRange{.low = 0, .high = 20})};
  const Values values = [](const Coordinates& x) {
    Losses losses(2, 0.0);
    for (const double xi : x) {
      losses[0] += std::abs(xi - 5);
      losses[1] += std::abs(xi - 9);
    }
    return losses;
  };
  // The front consists of all points whose losses sum to 32: 33 steps under the diagonal.
  const Losses reference = {33, 33};
  for (const std::uint64_t seed : {1, 2, 3}) {
    const auto nsga = nsga_optimizer(domain, {.seed = seed});
    const double reached = hypervolume(search(*nsga, values, 1000), reference);
    EXPECT_GT(reached, 400);  // of at most 561
    const auto random = random_optimizer(domain, {.seed = seed});
    EXPECT_LT(hypervolume(search(*random, values, 1000), reference), 200);
  }
}

TEST(NsgaOptimizer, MinimisesASingleObjective) {
  const Values sphere = [](const Coordinates& x) {
    double sum = 0;
    for (const double xi : x) sum += (xi - 0.3) * (xi - 0.3);
    return Losses{sum};
  };
  for (const bool reference_points : {false, true}) {
    const auto optimizer = nsga_optimizer(
        unit_box(5), {.seed = 1, .objectives = 1, .reference_points = reference_points});
    const auto found = search(*optimizer, sphere, 1000);
    EXPECT_LT((*std::ranges::min_element(found))[0], 0.01);
  }
}

TEST(NsgaOptimizer, LeavesTheInfeasibleRegion) {
  // The best corner (0, 0) is forbidden: x + y >= 1.
  const auto optimizer = nsga_optimizer(unit_box(2), {.seed = 1, .population = 20});
  int feasible = 0;
  for (int number = 0; number < 400; ++number) {
    const Coordinates at = *optimizer->ask(number, {});
    const double short_of = 1 - at[0] - at[1];
    if (number >= 200 && short_of <= 0) ++feasible;
    optimizer->tell(
        {.number = number, .at = at, .objectives = {at[0], at[1]}, .constraints = {short_of}});
  }
  EXPECT_GT(feasible, 60);  // a search that ignores constraints goes to the corner at once
}

TEST(NsgaOptimizer, IsAPureFunctionOfTheResultsTold) {
  for (const bool reference_points : {false, true}) {
    const NsgaOptions options{.seed = 4, .population = 10, .reference_points = reference_points};
    const auto one = nsga_optimizer(unit_box(3), options);
    const auto other = nsga_optimizer(unit_box(3), options);
    for (int number = 0; number < 60; ++number) {
      const Coordinates at = *one->ask(number, {});
      if (number % 7 == 0) (void)one->ask(number + 500, {});
      EXPECT_EQ(one->ask(number, {}), at);
      const Observation seen{.number = number, .at = at, .objectives = zdt1(at)};
      one->tell(seen);
      other->tell(seen);
    }
    EXPECT_EQ(one->ask(60, {}), other->ask(60, {}));
    EXPECT_NE(one->ask(60, {}), one->ask(61, {}));
  }
}

TEST(NsgaOptimizer, ProposesEveryPointOfASmallConditionalDomainOnce) {
  // The second dimension has an effect only where the first is 1; the first must not be 2.
  Domain domain{.dimensions = {Categories{.count = 3}, IntRange{.low = 0, .high = 30}}};
  domain.canonical = [](const Coordinates& point) -> std::optional<Coordinates> {
    if (point[0] == 2) return std::nullopt;
    if (point[0] == 0) return Coordinates{0, kInactive};
    return point;
  };
  std::vector<Coordinates> points = {{0, kInactive}};
  for (int value = 0; value <= 30; ++value) points.push_back({1, static_cast<double>(value)});
  domain.points = std::make_shared<const std::vector<Coordinates>>(points);
  const auto optimizer = nsga_optimizer(domain, {.seed = 1, .population = 6});
  std::set<double> seen;
  const auto found = search(
      *optimizer,
      [&](const Coordinates& at) {
        EXPECT_EQ(is_active(at[1]), at[0] == 1);
        EXPECT_TRUE(seen.insert(is_active(at[1]) ? at[1] : -1).second);
        return Losses{at[0], is_active(at[1]) ? std::abs(at[1] - 20) : 40};
      },
      100);
  EXPECT_EQ(found.size(), 32);
}

TEST(NsgaOptimizer, NeverProposesPendingPoints) {
  const Domain domain{.dimensions = {Categories{.count = 4}}};
  const auto optimizer = nsga_optimizer(domain, {.population = 2});
  optimizer->tell({.number = 0, .at = {0}, .objectives = {0, 1}});
  optimizer->tell({.number = 1, .at = {1}, .objectives = {1, 0}});
  const std::vector<Pending> pending = {{.number = 2, .at = {2}}};
  for (int number = 3; number < 20; ++number)
    EXPECT_EQ(optimizer->ask(number, pending), Coordinates{3});
}

TEST(NsgaOptimizer, BreedsOnlyFromCompleteTrials) {
  const auto one = nsga_optimizer(unit_box(2), {.seed = 2, .population = 4});
  const auto other = nsga_optimizer(unit_box(2), {.seed = 2, .population = 4});
  for (int number = 0; number < 20; ++number) {
    const Coordinates at = *one->ask(number, {});
    one->tell({.number = number, .at = at, .outcome = Outcome::pruned, .objectives = {0, 0}});
    other->tell({.number = number, .at = at, .outcome = Outcome::failed});
  }
  EXPECT_EQ(one->ask(20, {}), other->ask(20, {}));
}

TEST(NsgaOptimizer, SelectsByGenerationsOnRequest) {
  const auto optimizer = nsga_optimizer(unit_box(8), {.seed = 1, .offspring = 50});
  EXPECT_GT(hypervolume(search(*optimizer, zdt1, 2000), {1.1, 1.1}), 0.7);
}

TEST(NsgaOptimizer, NamesInvalidOptionsAndObservations) {
  const auto with = [](const NsgaOptions& options) {
    return message_of<InvalidInput>([&] { (void)nsga_optimizer(unit_box(1), options); });
  };
  EXPECT_EQ(with({.objectives = 0}), "nsga: got 0 objectives, expected at least 1");
  EXPECT_EQ(with({.population = 1}), "nsga: got a population of 1, expected at least 2");
  EXPECT_EQ(with({.offspring = 0}), "nsga: got 0 offspring, expected at least 1");
  const auto optimizer = nsga_optimizer(unit_box(1), {});
  EXPECT_EQ(message_of<InvalidInput>(
                [&] { optimizer->tell({.number = 7, .at = {0.5}, .objectives = {1}}); }),
            "nsga: trial 7 was told with 1 objectives, expected 2");
}

}  // namespace
}  // namespace quantsearch
