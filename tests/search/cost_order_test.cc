#include "search/cost_order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "quantsearch/base/random.h"
#include "search/problems.h"

namespace quantsearch {
namespace {

using Order = std::vector<std::size_t>;

TEST(CostOrder, WithoutPrefixesIsByTimeAndStable) {
  EXPECT_EQ(cost_order({{.seconds = 2}, {.seconds = 1}, {.seconds = 2}, {.seconds = 1}}),
            (Order{1, 3, 0, 2}));
  EXPECT_TRUE(cost_order({}).empty());
  EXPECT_EQ(cost_order({{.seconds = 5}}), (Order{0}));
}

TEST(CostOrder, OrdersGroupsByTheirCheapestMemberAndKeepsThemTogether) {
  // Group 1: 5 and 1 seconds; group 2: 2 and 3 seconds.
  const std::vector<Expected> expected = {{.seconds = 5, .prefix = {key(1)}},
                                          {.seconds = 2, .prefix = {key(2)}},
                                          {.seconds = 1, .prefix = {key(1)}},
                                          {.seconds = 3, .prefix = {key(2)}}};
  EXPECT_EQ(cost_order(expected), (Order{2, 0, 1, 3}));
}

TEST(CostOrder, IsRecursiveAlongThePrefix) {
  const std::vector<Expected> expected = {{.seconds = 4, .prefix = {key(1), key(10)}},
                                          {.seconds = 1, .prefix = {key(1), key(11)}},
                                          {.seconds = 2, .prefix = {key(1), key(10)}},
                                          {.seconds = 3, .prefix = {key(1), key(11)}}};
  EXPECT_EQ(cost_order(expected), (Order{1, 3, 2, 0}));
}

TEST(CostOrder, PointsWithShorterPrefixesFormTheirOwnGroups) {
  const std::vector<Expected> expected = {{.seconds = 3, .prefix = {}},
                                          {.seconds = 2, .prefix = {key(1)}},
                                          {.seconds = 1, .prefix = {}}};
  EXPECT_EQ(cost_order(expected), (Order{2, 1, 0}));
}

TEST(CostOrder, UnusableTimesGoLast) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(cost_order({{.seconds = nan},
                        {.seconds = infinity},
                        {.seconds = -1},
                        {.seconds = 0},
                        {.seconds = 7}}),
            (Order{4, 0, 1, 2, 3}));
}

TEST(CostOrder, PointsWithEqualPrefixesAreContiguous) {
  RandomStream random(7);
  std::vector<Expected> expected(500);
  for (Expected& point : expected) {
    point.seconds = static_cast<double>(random.below(20));
    for (int depth = 0; depth < 3; ++depth) point.prefix.push_back(key(random.below(4)));
  }
  Order order = cost_order(expected);
  std::set<std::vector<Key>> closed;
  for (std::size_t depth = 1; depth <= 3; ++depth) {
    closed.clear();
    std::vector<Key> open;
    for (const std::size_t position : order) {
      const auto& prefix = expected[position].prefix;
      const std::vector<Key> head(prefix.begin(),
                                  prefix.begin() + static_cast<std::ptrdiff_t>(depth));
      if (head == open) continue;
      EXPECT_TRUE(closed.insert(head).second);
      open = head;
    }
  }
  std::ranges::sort(order);
  for (std::size_t i = 0; i < order.size(); ++i) EXPECT_EQ(order[i], i);
}

}  // namespace
}  // namespace quantsearch
