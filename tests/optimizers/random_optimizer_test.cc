#include <gtest/gtest.h>

#include <set>

#include "quantsearch/optimizers.h"

namespace quantsearch {
namespace {

/// The second dimension has an effect only where the first is 1; the first must not be 2.
Domain five_conditional_points() {
  Domain domain{.dimensions = {Categories{.count = 3}, IntRange{.low = 0, .high = 3}}};
  domain.canonical = [](const Coordinates& point) -> std::optional<Coordinates> {
    if (point[0] == 2) return std::nullopt;
    if (point[0] == 0) return Coordinates{0, kInactive};
    return point;
  };
  return domain;
}

TEST(RandomOptimizer, ProposesEveryDistinctPointOnceAndThenNothing) {
  const auto optimizer = random_optimizer(five_conditional_points(), {.seed = 3});
  std::set<std::pair<double, double>> seen;
  for (int number = 0; number < 5; ++number) {
    const auto point = optimizer->ask(number, {});
    ASSERT_TRUE(point);
    EXPECT_EQ(is_active((*point)[1]), (*point)[0] == 1);
    EXPECT_TRUE(seen.emplace((*point)[0], is_active((*point)[1]) ? (*point)[1] : -1).second);
    optimizer->tell({.number = number, .at = *point, .outcome = Outcome::failed});
  }
  EXPECT_FALSE(optimizer->ask(5, {}));
}

TEST(RandomOptimizer, NeverProposesPendingPoints) {
  const auto optimizer = random_optimizer(Domain{.dimensions = {Categories{.count = 2}}}, {});
  const std::vector<Pending> pending = {{.number = 0, .at = {1}}};
  for (int number = 1; number < 20; ++number)
    EXPECT_EQ(optimizer->ask(number, pending), Coordinates{0});
}

TEST(RandomOptimizer, ProposesTheSamePointForTheSameSeedAndNumber) {
  const Domain domain{.dimensions = {FloatRange{.low = 0, .high = 1},
                                     FloatRange{.low = 1e-3, .high = 1, .log = true}}};
  const auto one = random_optimizer(domain, {.seed = 5});
  const auto other = random_optimizer(domain, {.seed = 5});
  EXPECT_EQ(one->ask(4, {}), other->ask(4, {}));
  EXPECT_NE(one->ask(4, {}), other->ask(5, {}));
  EXPECT_NE(one->ask(4, {}), random_optimizer(domain, {.seed = 6})->ask(4, {}));
}

}  // namespace
}  // namespace quantsearch
