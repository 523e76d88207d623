#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>

#include "optimizers/histories.h"
#include "quantsearch/base/error.h"
#include "quantsearch/base/random.h"
#include "quantsearch/optimizers.h"
#include "support/messages.h"

namespace quantsearch {
namespace {

using Function = std::function<double(const Coordinates& point)>;

std::vector<Observation> run(Optimizer& optimizer, const Function& value, int trials) {
  std::vector<Observation> history;
  for (int number = 0; number < trials; ++number) {
    const auto point = optimizer.ask(number, {});
    if (!point) break;
    history.push_back({.number = number, .at = *point, .objectives = {value(*point)}});
    optimizer.tell(history.back());
  }
  return history;
}

double sphere(const Coordinates& point) {
  double sum = 0;
  for (const double x : point) sum += (x - 1) * (x - 1);
  return sum;
}

double ellipsoid(const Coordinates& point) {
  double sum = 0;
  for (std::size_t i = 0; i < point.size(); ++i)
    sum += std::pow(1e4, static_cast<double>(i) / static_cast<double>(point.size() - 1)) *
           (point[i] - 1) * (point[i] - 1);
  return sum;
}

/// Two integers, a stepped and a real number, two categories of four values, and an ordered one of
/// five.
Domain mixed_domain() {
  return {.dimensions = {IntRange{.low = 0, .high = 20},
                         IntRange{.low = 1, .high = 64, .log = true},
                         FloatRange{.low = 0, .high = 1, .step = 0.1},
                         FloatRange{.low = 1e-4, .high = 1, .log = true}, Categories{.count = 4},
                         Categories{.count = 4}, Categories{.count = 5, .ordered = true}}};
}

/// 0 at (17, 8, 0.3, 0.01, 2, 0, 4).
double mixed_loss(const Coordinates& at) {
  return std::pow((at[0] - 17) / 5, 2) + std::pow(std::log2(at[1] / 8), 2) +
         20 * std::pow(at[2] - 0.3, 2) + std::pow(std::log10(at[3]) + 2, 2) + (at[4] != 2) +
         (at[5] != 0) + 0.5 * (4 - at[6]);
}

TEST(CmaOptimizer, FindsTheMinimumOfASphere) {
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    const auto optimizer = cma_optimizer(box(5), {.seed = seed});
    EXPECT_LT(best_of(run(*optimizer, sphere, 600)), 1e-6);
  }
}

TEST(CmaOptimizer, LearnsTheScalesOfAnEllipsoid) {
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    const auto optimizer = cma_optimizer(box(5), {.seed = seed});
    EXPECT_LT(best_of(run(*optimizer, ellipsoid, 1500)), 1e-6);
  }
}

/// Points outside the box are redrawn, which leaves little mass near a corner, so that the
/// tolerance is wide.
TEST(CmaOptimizer, ApproachesAMinimumInACornerOfTheBox) {
  const auto optimizer = cma_optimizer(box(4), {.seed = 1});
  const auto corner = [](const Coordinates& at) { return at[0] + at[1] - at[2] - at[3]; };
  EXPECT_LT(best_of(run(*optimizer, corner, 600)), -19.3);
}

TEST(CmaOptimizer, FindsTheMinimumAmongIntegersAndCategories) {
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    const auto optimizer = cma_optimizer(mixed_domain(), {.seed = seed});
    EXPECT_LT(best_of(run(*optimizer, mixed_loss, 500)), 0.02);
  }
}

TEST(CmaOptimizer, FindsTheMinimumOfCategoriesAlone) {
  const Domain domain{.dimensions = std::vector<SearchDimension>(10, Categories{.count = 3})};
  const auto optimizer = cma_optimizer(domain, {.seed = 2});
  const auto misses = [](const Coordinates& at) {
    double count = 0;
    for (std::size_t i = 0; i < at.size(); ++i) count += at[i] != static_cast<double>(i % 3);
    return count;
  };
  EXPECT_EQ(best_of(run(*optimizer, misses, 300)), 0);
}

TEST(CmaOptimizer, SearchesOneDimension) {
  const auto optimizer = cma_optimizer(box(1), {.seed = 3});
  const std::vector<Observation> history = run(*optimizer, sphere, 100);
  EXPECT_LT(best_of(history), 1e-6);
  for (const Observation& seen : history) EXPECT_TRUE(std::isfinite(seen.at[0]));
}

TEST(CmaOptimizer, LeavesOutDimensionsWithOneValue) {
  Domain domain = box(2);
  domain.dimensions.push_back(Categories{.count = 1});
  domain.dimensions.push_back(IntRange{.low = 7, .high = 7});
  const auto optimizer = cma_optimizer(domain, {.seed = 4});
  for (const Observation& seen : run(*optimizer, sphere, 40)) {
    EXPECT_EQ(seen.at[2], 0);
    EXPECT_EQ(seen.at[3], 7);
  }
}

TEST(CmaOptimizer, ProposesTheOnlyPointOfADomainOnce) {
  const auto optimizer = cma_optimizer({.dimensions = {Categories{.count = 1}}}, {});
  EXPECT_EQ(run(*optimizer, sphere, 5).size(), 1u);
}

TEST(CmaOptimizer, ProposesEveryPointOfASmallDomainOnce) {
  const Domain domain{.dimensions = {IntRange{.low = 0, .high = 5}, Categories{.count = 4}}};
  const auto optimizer = cma_optimizer(domain, {.seed = 5});
  std::set<Coordinates> seen;
  for (const Observation& observation : run(*optimizer, sphere, 30)) seen.insert(observation.at);
  EXPECT_EQ(seen.size(), 24u);
}

TEST(CmaOptimizer, NeverProposesPendingPoints) {
  const Domain domain{.dimensions = {Categories{.count = 2}, Categories{.count = 2}}};
  const auto optimizer = cma_optimizer(domain, {.seed = 6});
  const std::vector<Pending> pending = {
      {.number = 0, .at = {0, 0}}, {.number = 1, .at = {0, 1}}, {.number = 2, .at = {1, 0}}};
  for (int number = 3; number < 20; ++number)
    EXPECT_EQ(optimizer->ask(number, pending), (Coordinates{1, 1}));
}

/// The second dimension has an effect only where the first is 1; 2 and 2 is invalid.
Domain conditional_domain() {
  Domain domain{.dimensions = {Categories{.count = 3}, IntRange{.low = 0, .high = 30},
                               FloatRange{.low = 0, .high = 1}}};
  domain.canonical = [](const Coordinates& point) -> std::optional<Coordinates> {
    if (point[0] == 2 && point[1] == 2) return std::nullopt;
    Coordinates kept = point;
    if (point[0] != 1) kept[1] = kInactive;
    return kept;
  };
  return domain;
}

TEST(CmaOptimizer, SearchesConditionalDimensions) {
  const auto optimizer = cma_optimizer(conditional_domain(), {.seed = 7});
  const auto value = [](const Coordinates& at) {
    const double base = std::pow(at[2] - 0.7, 2);
    return at[0] == 1 ? base + std::pow((at[1] - 22) / 10, 2) : base + 0.5;
  };
  const std::vector<Observation> history = run(*optimizer, value, 300);
  for (const Observation& seen : history) EXPECT_EQ(is_active(seen.at[1]), seen.at[0] == 1);
  EXPECT_LT(best_of(history), 0.01);
}

TEST(CmaOptimizer, DependsOnlyOnTheResultsTold) {
  for (const Domain& domain : {box(4), mixed_domain(), conditional_domain()}) {
    const auto one = cma_optimizer(domain, {.seed = 8});
    const std::vector<Observation> history = run(
        *one, [](const Coordinates& at) { return std::abs(at[0] - 1) + std::abs(at[2]); }, 60);
    // It is told results that it did not propose, as in a resumed search, and is asked more often
    // than needed.
    const auto told = cma_optimizer(domain, {.seed = 8});
    for (const Observation& seen : history) {
      told->tell(seen);
      EXPECT_TRUE(told->ask(1000 + seen.number, {}));
    }
    for (int number = 60; number < 64; ++number) {
      const auto expected = one->ask(number, {});
      const auto got = told->ask(number, {});
      ASSERT_TRUE(expected && got);
      for (std::size_t i = 0; i < expected->size(); ++i) {
        if (is_active((*expected)[i])) {
          EXPECT_EQ((*got)[i], (*expected)[i]);
        }
      }
    }
  }
}

TEST(CmaOptimizer, LearnsFromResultsThatAreGenerationsLate) {
  // There are 24 workers, which is three generations; the oldest result arrives first.
  const auto optimizer = cma_optimizer(box(5), {.seed = 9});
  std::vector<Pending> pending;
  double best = 1e300;
  for (int number = 0; number < 1500; ++number) {
    const auto point = optimizer->ask(number, pending);
    ASSERT_TRUE(point);
    pending.push_back({.number = number, .at = *point});
    if (pending.size() < 24) continue;
    const Pending done = pending.front();
    pending.erase(pending.begin());
    best = std::min(best, sphere(done.at));
    optimizer->tell({.number = done.number, .at = done.at, .objectives = {sphere(done.at)}});
  }
  EXPECT_LT(best, 1e-3);
}

/// Mean squared distance of the next proposals to (4, 4, 4, 4, 4).
double distance_of_asked(Optimizer& optimizer) {
  double sum = 0;
  for (int i = 0; i < 200; ++i) {
    const Coordinates at = *optimizer.ask(5000 + i, {});
    for (const double x : at) sum += (x - 4) * (x - 4) / 200;
  }
  return sum;
}

TEST(CmaOptimizer, MovesTowardsABetterPointFromElsewhere) {
  const auto far = [](const Coordinates& at) {
    double sum = 0;
    for (const double x : at) sum += (x - 4) * (x - 4);
    return sum;
  };
  const auto alone = cma_optimizer(box(5), {.seed = 10, .population = 8});
  const auto helped = cma_optimizer(box(5), {.seed = 10, .population = 8});
  (void)run(*alone, far, 7);
  (void)run(*helped, far, 7);
  const Coordinates good(5, 3.9);
  helped->tell({.number = 1000, .at = good, .objectives = {far(good)}});
  const Coordinates own = *alone->ask(7, {});
  alone->tell({.number = 7, .at = own, .objectives = {far(own)}});
  EXPECT_LT(distance_of_asked(*helped), 0.8 * distance_of_asked(*alone));
}

TEST(CmaOptimizer, MovesTowardsFeasiblePointsWhenNoneIsKnown) {
  // A point is feasible when the sum of both coordinates is at least 6. The minimum is at (3, 3).
  const auto optimizer = cma_optimizer(box(2), {.seed = 11});
  double best = 1e300;
  int feasible = 0;
  for (int number = 0; number < 300; ++number) {
    const Coordinates at = *optimizer->ask(number, {});
    const double value = at[0] * at[0] + at[1] * at[1];
    const double violation = 6 - at[0] - at[1];
    optimizer->tell(
        {.number = number, .at = at, .objectives = {value}, .constraints = {violation}});
    if (violation > 0) continue;
    ++feasible;
    best = std::min(best, value);
  }
  EXPECT_GT(feasible, 60);
  EXPECT_LT(best, 18.2);
}

TEST(CmaOptimizer, AvoidsWhereTrialsFail) {
  // Points with the first coordinate below 0 fail; the best of the others is at (0, 1).
  const auto optimizer = cma_optimizer(box(2), {.seed = 12});
  int failed_late = 0;
  double best = 1e300;
  for (int number = 0; number < 200; ++number) {
    const Coordinates at = *optimizer->ask(number, {});
    if (at[0] < 0) {
      optimizer->tell({.number = number, .at = at, .outcome = Outcome::failed});
      failed_late += number >= 100;
      continue;
    }
    const double value = std::pow(at[0] - 1, 2) + std::pow(at[1] - 1, 2);
    best = std::min(best, value);
    optimizer->tell({.number = number, .at = at, .objectives = {value}});
  }
  EXPECT_LT(failed_late, 10);
  EXPECT_LT(best, 1e-3);
}

TEST(CmaOptimizer, KeepsItsDistributionWhenAllTrialsFail) {
  const auto optimizer = cma_optimizer(box(3), {.seed = 13, .population = 5});
  const Coordinates expected = *optimizer->ask(500, {});
  for (int number = 0; number < 20; ++number) {
    const auto point = optimizer->ask(number, {});
    optimizer->tell({.number = number, .at = *point, .outcome = Outcome::failed});
  }
  EXPECT_EQ(optimizer->ask(500, {}), expected);
}

TEST(CmaOptimizer, RestartsElsewhereWhenARunHasConverged) {
  // A plateau with a hole: a run on the plateau stops, and the next ones start at random points.
  for (const auto kind : {CmaOptions::Restarts::ipop, CmaOptions::Restarts::bipop}) {
    const auto optimizer = cma_optimizer(box(2), {.seed = 14, .restarts = kind});
    const auto hole = [](const Coordinates& at) {
      return std::hypot(at[0] - 4, at[1] - 4) < 1.2 ? std::hypot(at[0] - 4, at[1] - 4) : 5.0;
    };
    EXPECT_LT(best_of(run(*optimizer, hole, 4000)), 0.1);
  }
}

TEST(CmaOptimizer, StartsAtTheMeanAndStepOfItsOptions) {
  CmaOptions options{.seed = 15, .mean = Coordinates{4, -4, 2, 5}, .sigma = 1e-4};
  Domain domain = box(2);
  domain.dimensions.push_back(Categories{.count = 4});
  domain.dimensions.push_back(IntRange{.low = 0, .high = 9});
  const auto optimizer = cma_optimizer(domain, options);
  int named = 0;
  for (int number = 0; number < 100; ++number) {
    const Coordinates at = *optimizer->ask(number, {});
    EXPECT_NEAR(at[0], 4, 0.01);
    EXPECT_NEAR(at[1], -4, 0.01);
    EXPECT_EQ(at[3], 5);
    named += at[2] == 2;
  }
  EXPECT_GT(named, 35);
  EXPECT_LT(named, 65);
}

TEST(CmaOptimizer, RefusesOptionsOutOfRange) {
  const auto refusal = [](const CmaOptions& options) {
    return message_of<InvalidInput>([&] { (void)cma_optimizer(box(2), options); });
  };
  EXPECT_EQ(refusal({.population = 1}),
            "cma-es: the option \"population\" is 1, expected at least 2, or 0 for the default");
  EXPECT_EQ(refusal({.sigma = -1}),
            "cma-es: the option \"sigma\" is -1, expected a number above 0, or 0 for the default");
  EXPECT_EQ(refusal({.mean = Coordinates{1}}),
            "cma-es: the option \"mean\" is 1 numbers, expected 2, one for each dimension");
  EXPECT_EQ(refusal({.mean = Coordinates{1, 7}}),
            "cma-es: the option \"mean\" is 7 in dimension 1, expected a number from -5 to 5");
}

TEST(CmaOptimizer, FindsTheMinimumUnderNoiseWithAdaptedRates) {
  const auto optimizer = cma_optimizer(box(3), {.seed = 16, .learning_rate_adaptation = true});
  RandomStream noise(16);
  std::vector<Observation> history = run(
      *optimizer, [&](const Coordinates& at) { return sphere(at) + noise.normal(); }, 3000);
  double sum = 0;
  for (std::size_t i = 2900; i < history.size(); ++i) sum += sphere(history[i].at);
  EXPECT_LT(sum / 100, 0.5);
}

}  // namespace
}  // namespace quantsearch
