#include <gtest/gtest.h>

#include <map>
#include <set>

#include "quantsearch/optimizers.h"

namespace quantsearch {
namespace {

Domain one_of_each_kind() {
  return {.dimensions = {FloatRange{.low = 1e-3, .high = 1, .log = true}, Categories{.count = 4},
                         IntRange{.low = 1, .high = 8}}};
}

TEST(QmcOptimizer, GivesCategoriesAndIntegersEqualShares) {
  for (const QmcKind kind : {QmcKind::sobol, QmcKind::halton}) {
    const auto optimizer = qmc_optimizer(one_of_each_kind(), {.seed = 4, .kind = kind});
    std::map<double, int> categories;
    std::map<double, int> integers;
    for (int number = 0; number < 64; ++number) {
      const auto point = optimizer->ask(number, {});
      ASSERT_TRUE(point);
      EXPECT_GE(point->front(), 1e-3);
      EXPECT_LE(point->front(), 1);
      ++categories[(*point)[1]];
      ++integers[(*point)[2]];
    }
    // Sobol points form a net. In the bases 3 and 5 a cell of 1/4 or 1/8 can contain one point more
    // or less for each digit.
    const int slack = kind == QmcKind::sobol ? 0 : 4;
    for (double category = 0; category < 4; ++category)
      EXPECT_NEAR(categories[category], 16, slack);
    for (double integer = 1; integer <= 8; ++integer) EXPECT_NEAR(integers[integer], 8, slack);
  }
}

TEST(QmcOptimizer, ProposesByNumberRegardlessOfResults) {
  const auto one = qmc_optimizer(one_of_each_kind(), {.seed = 4});
  const auto other = qmc_optimizer(one_of_each_kind(), {.seed = 4});
  for (int number = 0; number < 5; ++number)
    one->tell({.number = number, .at = *one->ask(number, {}), .objectives = {1}});
  EXPECT_EQ(one->ask(9, {}), other->ask(9, {}));
  EXPECT_NE(one->ask(9, {}), qmc_optimizer(one_of_each_kind(), {.seed = 5})->ask(9, {}));
}

TEST(QmcOptimizer, BeginsAtTheLowestCornerWithoutScrambling) {
  const auto optimizer = qmc_optimizer(
      Domain{.dimensions = {FloatRange{.low = -1, .high = 1}, IntRange{.low = 0, .high = 3}}},
      {.scramble = false});
  EXPECT_EQ(optimizer->ask(0, {}), (Coordinates{-1, 0}));
  EXPECT_EQ(optimizer->ask(1, {}), (Coordinates{0, 2}));
  EXPECT_EQ(optimizer->ask(2, {}), (Coordinates{0.5, 1}));
}

TEST(QmcOptimizer, ProposesEveryDistinctPointOnceAndThenNothing) {
  Domain domain{.dimensions = {Categories{.count = 3}, IntRange{.low = 0, .high = 3}}};
  domain.canonical = [](const Coordinates& point) -> std::optional<Coordinates> {
    if (point[0] == 2) return std::nullopt;
    if (point[0] == 0) return Coordinates{0, kInactive};
    return point;
  };
  for (const QmcKind kind : {QmcKind::sobol, QmcKind::halton}) {
    const auto optimizer = qmc_optimizer(domain, {.seed = 1, .kind = kind});
    std::set<std::pair<double, double>> seen;
    std::vector<Pending> pending;
    for (int number = 0; number < 5; ++number) {
      const auto point = optimizer->ask(number, pending);
      ASSERT_TRUE(point);
      EXPECT_EQ(is_active((*point)[1]), (*point)[0] == 1);
      EXPECT_TRUE(seen.emplace((*point)[0], is_active((*point)[1]) ? (*point)[1] : -1).second);
      if (number % 2 == 0)
        pending.push_back({.number = number, .at = *point});
      else
        optimizer->tell({.number = number, .at = *point, .outcome = Outcome::failed});
    }
    EXPECT_FALSE(optimizer->ask(5, pending));
  }
}

}  // namespace
}  // namespace quantsearch
