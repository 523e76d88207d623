#include <gtest/gtest.h>

#include "search/problems.h"

namespace quantsearch {
namespace {

TEST(Space, TheFirstParameterVariesSlowest) {
  const Space space({{.name = "b", .choices = {1, 2}}, {.name = "a", .choices = {"x", "y", "z"}}});
  ASSERT_EQ(space.size(), 6);
  EXPECT_EQ(to_string(space.at(0)), "a=x b=1");
  EXPECT_EQ(to_string(space.at(2)), "a=z b=1");
  EXPECT_EQ(to_string(space.at(3)), "a=x b=2");
  EXPECT_EQ(to_string(space.at(5)), "a=z b=2");
}

TEST(Space, WithoutParametersIsOnePoint) {
  const Space space(std::vector<Parameter>{});
  EXPECT_EQ(space.size(), 1);
  EXPECT_TRUE(space.at(0).empty());
}

TEST(Space, AUnionIsNumberedConsecutively) {
  const Space space =
      Space::union_of({line_space(2), decimal_space(1), Space(std::vector<Parameter>{})});
  ASSERT_EQ(space.size(), 13);
  EXPECT_EQ(to_string(space.at(1)), "x=1");
  EXPECT_EQ(to_string(space.at(2)), "d0=0");
  EXPECT_EQ(to_string(space.at(11)), "d0=9");
  EXPECT_TRUE(space.at(12).empty());
  EXPECT_EQ(space.products().size(), 3U);
  EXPECT_EQ(&space.product_of(2), &space.products()[1]);
}

TEST(Space, HasAtMostTwoToTheSixtyTwoPoints) {
  std::vector<Parameter> parameters;
  for (int i = 0; i < 62; ++i) parameters.push_back({.name = std::to_string(i), .choices = {0, 1}});
  const Space largest(parameters);
  EXPECT_EQ(largest.size(), std::int64_t{1} << 62);
  EXPECT_EQ(largest.at(largest.size() - 1).at("0"), Value(1));
  parameters.push_back({.name = "more", .choices = {0, 1}});
  EXPECT_EQ(message_of<InvalidInput>([&] { (void)Space(parameters); }),
            "search space: the product of 63 parameters passes 2^62 points at 'more'; leave out "
            "parameters or choices");
  EXPECT_EQ(
      message_of<InvalidInput>([&] {
        (void)Space::union_of({largest, Space(std::vector<Parameter>{})});
      }),
      "search space: the union of 2 spaces passes 2^62 points; leave out parameters or choices");
}

TEST(Space, BadParametersAreNamedInTheMessage) {
  const auto message = [](std::vector<Parameter> parameters) {
    return message_of<InvalidInput>([&] { (void)Space(parameters); });
  };
  EXPECT_EQ(message({{.name = "", .choices = {1}}}),
            "search space: a parameter has no name, expected one");
  EXPECT_EQ(message({{.name = "a", .choices = {1}}, {.name = "a", .choices = {2}}}),
            "search space: parameter 'a' appears twice, expected once");
  EXPECT_EQ(message({{.name = "a", .choices = {}}}),
            "search space: parameter 'a' has no choices, expected at least one");
  EXPECT_EQ(message({{.name = "a", .choices = {1, 2, 1.0}}}),
            "search space: parameter 'a' lists the choice 1.0 twice, expected once");
  EXPECT_EQ(message_of<InvalidInput>([] { (void)Space::union_of({}); }),
            "search space: the union of no spaces is empty, expected at least one");
  EXPECT_EQ(message_of<InvalidInput>([] { (void)line_space(3).at(3); }),
            "search space: got point 3, expected one of 0 to 2");
  EXPECT_THROW((void)line_space(3).at(-1), InvalidInput);
}

TEST(PointText, QuotesOnlyStringsThatContainSeparators) {
  const Point point = {{"a", "plain"}, {"b", "two words"},         {"c", ""},
                       {"d", false},   {"e", Value::List{1, 0.5}}, {"f", {}}};
  EXPECT_EQ(to_string(point), "a=plain b=\"two words\" c=\"\" d=false e=[1,0.5] f=null");
  EXPECT_EQ(to_string(Point{}), "");
}

TEST(PointKey, EqualPointsHaveEqualKeys) {
  EXPECT_EQ(key_of({{"a", 1}}), key_of({{"a", 1.0}}));
  EXPECT_EQ(key_of({{"a", 0.0}}), key_of({{"a", -0.0}}));
  EXPECT_EQ(key_of({{"a", Value::Map{{"x", 1}, {"y", 2}}}}),
            key_of({{"a", Value::Map{{"y", 2}, {"x", 1}}}}));
}

TEST(PointKey, DifferentPointsHaveDifferentKeys) {
  const std::vector<Point> points = {{},
                                     {{"a", {}}},
                                     {{"a", 1}},
                                     {{"a", 1.5}},
                                     {{"a", true}},
                                     {{"a", "1"}},
                                     {{"a", "true"}},
                                     {{"a", Value::List{1}}},
                                     {{"a", Value::List{Value::List{1}}}},
                                     {{"a", Value::List{}}},
                                     {{"a", Value::Map{}}},
                                     {{"a", 1}, {"b", 1}},
                                     {{"b", 1}}};
  std::set<Key> keys;
  for (const Point& point : points) keys.insert(key_of(point));
  EXPECT_EQ(keys.size(), points.size());
}

}  // namespace
}  // namespace quantsearch
