#include "search/lazy_order.h"

#include <gtest/gtest.h>

#include "search/problems.h"

namespace quantsearch {
namespace {

TEST(LazyOrder, ParametersOfEarlyStagesVarySlowest) {
  const Space space({{.name = "late", .choices = {0, 1}}, {.name = "early", .choices = {0, 1}}});
  const auto cost = [](const Point& point) {
    const std::int64_t early = point.at("early").as_int();
    return Expected{.seconds = 1,
                    .prefix = {key(early), key(2 * early + point.at("late").as_int())}};
  };
  const Space ordered = ordered_for_walk(space, keep_all, cost);
  EXPECT_EQ(ordered.products()[0][0].name, "early");
  EXPECT_EQ(ordered.products()[0][1].name, "late");
}

TEST(LazyOrder, ChoicesGoCheapFirst) {
  const auto cost = [](const Point& point) {
    return Expected{.seconds = 10 - point.at("x").as_double()};
  };
  const Space ordered = ordered_for_walk(line_space(4), keep_all, cost);
  EXPECT_EQ(ordered.products()[0][0].choices, (std::vector<Value>{3, 2, 1, 0}));
}

TEST(LazyOrder, ChoicesInvalidAtTheProbedPointGoLast) {
  const auto no_one = [](const Point& point) -> std::variant<Point, Rejected> {
    if (point.at("x") == Value(1)) return Rejected{"one"};
    return point;
  };
  const Space ordered = ordered_for_walk(line_space(4), no_one, one_second);
  EXPECT_EQ(ordered.products()[0][0].choices, (std::vector<Value>{0, 2, 3, 1}));
}

TEST(LazyOrder, ASpaceInvalidAtAllProbesKeepsItsOrder) {
  const auto never = [](const Point&) -> std::variant<Point, Rejected> {
    return Rejected{"never"};
  };
  const Space ordered = ordered_for_walk(decimal_space(3), never, one_second);
  EXPECT_EQ(ordered.products(), decimal_space(3).products());
}

}  // namespace
}  // namespace quantsearch
