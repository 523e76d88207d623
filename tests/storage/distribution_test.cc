#include "storage/distribution.h"

#include <gtest/gtest.h>

#include <cmath>

#include "quantsearch/base/error.h"
#include "storage/place.h"

namespace quantsearch {
namespace {

using Choices = std::vector<Value>;

std::string refusal(const Distribution& distribution) {
  return message_from<InvalidInput>([&] { check("p", distribution); });
}

TEST(Distribution, IsWrittenAsOptunasCanonicalJson) {
  EXPECT_EQ(
      to_json(FloatRange{.low = 0, .high = 1}),
      R"({"name":"FloatDistribution","attributes":{"step":null,"low":0.0,"high":1.0,"log":false}})");
  EXPECT_EQ(
      to_json(FloatRange{.low = 0, .high = 1, .step = 0.25}),
      R"({"name":"FloatDistribution","attributes":{"step":0.25,"low":0.0,"high":1.0,"log":false}})");
  EXPECT_EQ(to_json(IntRange{.low = 1, .high = 9}),
            R"({"name":"IntDistribution","attributes":{"log":false,"step":1,"low":1,"high":9}})");
  EXPECT_EQ(to_json(Distribution(Choices{"a", Value(), true, 3, 2.5})),
            R"({"name":"CategoricalDistribution","attributes":{"choices":["a",null,true,3,2.5]}})");
}

TEST(Distribution, IsReadFromTheJsonOfEveryRelease) {
  const auto parsed = [](const char* json) { return parse_distribution(json, "x"); };
  EXPECT_EQ(parsed(R"({"name": "UniformDistribution", "attributes": {"low": 0, "high": 2.5}})"),
            Distribution(FloatRange{.low = 0, .high = 2.5}));
  EXPECT_EQ(parsed(R"({"name": "LogUniformDistribution", "attributes": {"low": 1, "high": 2.5}})"),
            Distribution(FloatRange{.low = 1, .high = 2.5, .log = true}));
  EXPECT_EQ(
      parsed(
          R"({"name": "DiscreteUniformDistribution", "attributes": {"low": 0, "high": 2, "q": 0.5}})"),
      Distribution(FloatRange{.low = 0, .high = 2, .step = 0.5}));
  EXPECT_EQ(
      parsed(
          R"({"name": "IntUniformDistribution", "attributes": {"low": 0, "high": 8, "step": 2}})"),
      Distribution(IntRange{.low = 0, .high = 8, .step = 2}));
  EXPECT_EQ(parsed(R"({"name": "IntLogUniformDistribution", "attributes": {"low": 1, "high": 8}})"),
            Distribution(IntRange{.low = 1, .high = 8, .log = true}));
  EXPECT_EQ(parsed(R"({"type": "float", "low": 0.0, "high": 1.0, "log": false, "step": null})"),
            Distribution(FloatRange{.low = 0, .high = 1}));
  EXPECT_EQ(parsed(R"({"type": "int", "low": 0, "high": 1, "log": false, "step": 1})"),
            Distribution(IntRange{.low = 0, .high = 1}));
  EXPECT_EQ(parsed(R"({"type": "categorical", "choices": ["a", Infinity]})"),
            Distribution(Choices{"a", INFINITY}));
}

TEST(Distribution, IsRestoredFromItsJson) {
  for (const Distribution& distribution :
       {Distribution(FloatRange{.low = 1e-300, .high = 1e300, .log = true}),
        Distribution(IntRange{.low = -(std::int64_t{1} << 40), .high = 7, .step = 3}),
        Distribution(Choices{Value::List{1, 0.1}, "[1,0.1]", "\"", "[", Value::Map{{"a", "{"}}})}) {
    EXPECT_EQ(parse_distribution(to_json(distribution), "x"), distribution);
  }
}

TEST(Distribution, AnUnreadableOneIsNamed) {
  EXPECT_EQ(
      message_from<InvalidInput>(
          [] { (void)parse_distribution(R"({"name":"Normal","attributes":{}})", "study 's'"); }),
      "study 's': the distribution {\"name\":\"Normal\",\"attributes\":{}} cannot be read: got a "
      "distribution of kind 'Normal'");
  EXPECT_THROW((void)parse_distribution(R"({"name":"IntDistribution"})", "s"), InvalidInput);
  EXPECT_THROW((void)parse_distribution("[]", "s"), InvalidInput);
}

TEST(Distribution, KeepsValuesAsNumbers) {
  const Distribution choices =
      Choices{1, 1.0, true, Value::List{1, 2}, Value::List{1.0, 2}, Value()};
  for (std::size_t i = 0; i < 6; ++i) {
    const Value& choice = std::get<Choices>(choices)[i];
    EXPECT_EQ(number_of(choice, choices), static_cast<double>(i));
    EXPECT_EQ(to_json(value_of(static_cast<double>(i), choices, "x")), to_json(choice));
  }
  EXPECT_EQ(number_of(2, choices), std::nullopt);
  EXPECT_EQ(number_of("1", choices), std::nullopt);
  EXPECT_EQ(number_of(2, IntRange{.low = 2, .high = 3}), 2.0);
  EXPECT_EQ(number_of(4, IntRange{.low = 2, .high = 3}), std::nullopt);
  EXPECT_EQ(number_of(2.0, IntRange{.low = 2, .high = 3}), std::nullopt);
  EXPECT_EQ(number_of(0.5, FloatRange{}), 0.5);
  EXPECT_EQ(number_of(1.5, FloatRange{}), std::nullopt);
  EXPECT_EQ(number_of(std::nan(""), FloatRange{}), std::nullopt);
  EXPECT_TRUE(value_of(2, IntRange{}, "x").is_int());
  EXPECT_TRUE(value_of(2, FloatRange{}, "x").is_double());
  EXPECT_EQ(message_from<InvalidInput>([&] { (void)value_of(6, choices, "study 's'"); }),
            "study 's': got choice 6, expected one of 6");
}

TEST(Distribution, MayChangeItsBoundsWithinAStudyButNotItsKind) {
  const Distribution one = FloatRange{.low = 1, .high = 2};
  EXPECT_TRUE(are_compatible(one, FloatRange{.low = 0, .high = 9, .step = 0.5}));
  EXPECT_FALSE(are_compatible(one, FloatRange{.low = 1, .high = 2, .log = true}));
  EXPECT_FALSE(are_compatible(one, IntRange{.low = 1, .high = 2}));
  EXPECT_TRUE(are_compatible(IntRange{.high = 3}, IntRange{.high = 4}));
  EXPECT_TRUE(are_compatible(Choices{1, "a"}, Choices{1, "a"}));
  EXPECT_FALSE(are_compatible(Choices{1, "a"}, Choices{"a", 1}));
  EXPECT_FALSE(are_compatible(Choices{1, "a"}, Choices{1.0, "a"}));
}

TEST(Distribution, ChoicesMayGrowAndShrinkAtTheirEndBetweenRunsOfAStudy) {
  EXPECT_TRUE(may_follow(Choices{1, "a"}, Choices{1, "a"}));
  EXPECT_TRUE(may_follow(Choices{1}, Choices{1, "a"}));
  EXPECT_TRUE(may_follow(Choices{1, "a"}, Choices{1}));
  EXPECT_FALSE(may_follow(Choices{1}, Choices{"a", 1}));
  EXPECT_FALSE(may_follow(Choices{1, "a"}, Choices{1.0}));
  EXPECT_FALSE(may_follow(Choices{1}, IntRange{.low = 1, .high = 2}));
  EXPECT_TRUE(may_follow(IntRange{.high = 3}, IntRange{.high = 4}));
}

TEST(Distribution, AnImpossibleOneIsRefused) {
  const std::string bounds = "study: the bounds of parameter 'p' are not finite or out of order";
  const std::string step =
      "study: parameter 'p' has a step that is not positive, or a logarithm with a step or of "
      "numbers that are not positive";
  EXPECT_EQ(refusal(FloatRange{.low = 1, .high = 0}), bounds);
  EXPECT_EQ(refusal(FloatRange{.low = 0, .high = INFINITY}), bounds);
  EXPECT_EQ(refusal(IntRange{.low = 1, .high = 0}), bounds);
  EXPECT_EQ(refusal(FloatRange{.low = 0, .high = 1, .log = true}), step);
  EXPECT_EQ(refusal(FloatRange{.low = 1, .high = 2, .log = true, .step = 0.5}), step);
  EXPECT_EQ(refusal(FloatRange{.step = 0.0}), step);
  EXPECT_EQ(refusal(IntRange{.low = 1, .high = 8, .step = 2, .log = true}), step);
  EXPECT_EQ(refusal(IntRange{.step = 0}), step);
  EXPECT_EQ(refusal(Choices{}), "study: parameter 'p' has no choices");
  EXPECT_EQ(refusal(Choices{1, 1.0, 1}), "study: parameter 'p' has the choice 1 twice");
  EXPECT_EQ(refusal(Choices{1, 1.0, true}), "nothing was thrown");
}

TEST(Distributions, OfASpaceHaveTheChoicesOfAllProductsAndOfNormalization) {
  const Space space = Space::union_of(
      {Space({{.name = "a", .choices = {1, 2}}}),
       Space({{.name = "a", .choices = {2, 3}}, {.name = "b", .choices = {true}}})});
  EXPECT_EQ(distributions_of(space),
            (std::map<std::string, Distribution>{{"a", Choices{1, 2, 3}}, {"b", Choices{true}}}));
  const std::vector<Point> points{{{"b", false}, {"a", 2}}};
  EXPECT_EQ(distributions_of(space, points).at("b"), Distribution(Choices{true, false}));
}

TEST(Distributions, OfRangesAreTheWidest) {
  const auto with = [](SearchDimension range) {
    return Space({{.name = "a", .choices = {1, 2}, .range = std::move(range)}});
  };
  const Space space =
      Space::union_of({with(IntRange{.low = 1, .high = 2}), with(IntRange{.low = 0, .high = 1}),
                       with(IntRange{.low = 1, .high = 9, .step = 4})});
  EXPECT_EQ(distributions_of(space).at("a"), Distribution(IntRange{.low = 0, .high = 9}));
  EXPECT_EQ(message_from<InvalidInput>([&] {
              (void)distributions_of(Space::union_of(
                  {with(IntRange{.low = 1, .high = 2}), Space({{.name = "a", .choices = {5}}})}));
            }),
            "study: parameter 'a' is {\"name\":\"IntDistribution\",\"attributes\":{\"log\":false,"
            "\"step\":1,\"low\":1,\"high\":2}} in one search space and "
            "{\"name\":\"CategoricalDistribution\",\"attributes\":{\"choices\":[5]}} in another, "
            "expected choices or a range, with or without a logarithm, in all");
}

}  // namespace
}  // namespace quantsearch
