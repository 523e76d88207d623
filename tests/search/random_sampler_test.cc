#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "search/problems.h"

namespace quantsearch {
namespace {

Expected seconds_of_x(const Point& point) { return {.seconds = point.at("x").as_double() + 1}; }

SamplerOptions whole(std::uint64_t seed) { return {.seed = seed}; }
SamplerOptions lazy(std::uint64_t seed) { return {.seed = seed, .enumeration_limit = 1}; }

TEST(RandomSampler, ProposesEachDistinctPointOnce) {
  for (const SamplerOptions& options : {whole(5), lazy(5)}) {
    const auto sampler = random_sampler(conditional_space(), conditional, one_second, options);
    const std::vector<std::string> points = ask_all(*sampler);
    EXPECT_EQ(points.size(), 7U);
    EXPECT_EQ(as_set(points).size(), 7U);
    EXPECT_EQ(sampler->remaining(), 0);
    EXPECT_EQ(sampler->ask(), std::nullopt);
  }
}

TEST(RandomSampler, ExhaustsSpacesThatAreNotEstimatedAsAWhole) {
  for (const SamplerOptions& options : {whole(6), lazy(6)}) {
    const auto sampler = random_sampler(decimal_space(4), keep_all, one_second, options);
    const std::vector<std::string> points = ask_all(*sampler);
    EXPECT_EQ(points.size(), 10'000U);
    EXPECT_EQ(as_set(points).size(), 10'000U);
  }
}

TEST(RandomSampler, ReportsRemainingPointsWhenTheirNumberIsKnown) {
  const auto sampler = random_sampler(line_space(5), keep_all, one_second);
  EXPECT_EQ(sampler->remaining(), 5);
  (void)sampler->ask();
  EXPECT_EQ(sampler->remaining(), 4);
  const auto unknown = random_sampler(decimal_space(5), keep_all, one_second, lazy(1));
  (void)unknown->ask();
  EXPECT_EQ(unknown->remaining(), std::nullopt);
}

TEST(RandomSampler, FollowsItsSeed) {
  const auto points = [](std::uint64_t seed) {
    return ask_all(*random_sampler(decimal_space(3), keep_all, one_second, whole(seed)));
  };
  EXPECT_EQ(points(1), points(1));
  EXPECT_NE(points(1), points(2));
}

TEST(RandomSampler, TheFirstDrawFollowsTheWeights) {
  // The weights 1, 1/2, 1/3, 1/4 sum to 25/12.
  constexpr int kDraws = 5000;
  for (const std::int64_t limit : {100, 1}) {
    std::map<std::string, int> counts;
    for (std::uint64_t seed = 0; seed < kDraws; ++seed) {
      const auto sampler = random_sampler(line_space(4), keep_all, seconds_of_x,
                                          {.seed = seed, .enumeration_limit = limit});
      ++counts[to_string(*sampler->ask())];
    }
    for (int x = 0; x < 4; ++x) {
      const double expected = kDraws * 12.0 / 25 / (x + 1);
      EXPECT_NEAR(counts["x=" + std::to_string(x)], expected, 4 * std::sqrt(expected)) << x;
    }
  }
}

TEST(RandomSampler, TheSecondDrawFollowsTheWeightsOfTheRest) {
  // P(second = 2) by hand for the weights 1, 1/2, 1/3 with the sum 11/6: first 0 (6/11), then 2:
  // (1/3) / (5/6) = 2/5; first 1 (3/11), then 2: (1/3) / (4/3) = 1/4.
  constexpr int kDraws = 5000;
  int count = 0;
  for (std::uint64_t seed = 0; seed < kDraws; ++seed) {
    const auto sampler = random_sampler(line_space(3), keep_all, seconds_of_x, whole(seed));
    (void)sampler->ask();
    count += to_string(*sampler->ask()) == "x=2" ? 1 : 0;
  }
  const double expected = kDraws * (6.0 / 11 * 2 / 5 + 3.0 / 11 / 4);
  EXPECT_NEAR(count, expected, 4 * std::sqrt(expected));
}

TEST(RandomSampler, ManyPointsFollowTheWeightsToo) {
  // Half of 4000 points are nine times cheaper, so nine of ten early draws are cheap.
  const auto cost = [](const Point& point) {
    return Expected{.seconds = point.at("x").as_int() % 2 == 0 ? 1.0 : 9.0};
  };
  for (const SamplerOptions& options : {whole(3), lazy(3)}) {
    const auto sampler = random_sampler(line_space(4000), keep_all, cost, options);
    int cheap = 0;
    for (int draw = 0; draw < 200; ++draw)
      cheap += sampler->ask()->at("x").as_int() % 2 == 0 ? 1 : 0;
    EXPECT_NEAR(cheap, 180, 17);  // four standard deviations
  }
}

TEST(RandomSampler, SettingsWithoutEffectDoNotMakeAPointMoreLikely) {
  // The 100 raw points with mode=a are one point, the 100 with mode=b differ: together 101 points.
  std::vector<Parameter> parameters = decimal_space(2).products()[0];
  parameters.insert(parameters.begin(), {.name = "mode", .choices = {"a", "b"}});
  const Space space(parameters);
  const auto normalize = [](const Point& point) -> std::variant<Point, Rejected> {
    if (point.at("mode") == Value("a")) return Point{{"mode", "a"}};
    return point;
  };
  int a_first = 0;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    const auto sampler = random_sampler(space, normalize, one_second, lazy(seed));
    a_first += to_string(*sampler->ask()) == "mode=a" ? 1 : 0;
  }
  EXPECT_NEAR(a_first, 1000.0 / 101, 13);
}

TEST(RandomSampler, CallsTheCostModelOncePerPoint) {
  std::map<std::string, int> asked;
  const auto cost = [&asked](const Point& point) {
    ++asked[to_string(point)];
    return Expected{};
  };
  (void)ask_all(*random_sampler(line_space(2000), keep_all, cost));
  EXPECT_EQ(asked.size(), 2000U);
  EXPECT_TRUE(std::ranges::all_of(asked, [](const auto& point) { return point.second == 1; }));
}

TEST(RandomSampler, DoesNotEnumerateABillionPointsBeforeTheFirstDraw) {
  int calls = 0;
  const auto normalize = [&calls](const Point& point) -> std::variant<Point, Rejected> {
    ++calls;
    return point;
  };
  const auto sampler = random_sampler(decimal_space(9), normalize, one_second);
  EXPECT_EQ(calls, 0);
  EXPECT_EQ(as_set(ask_all(*sampler, 100)).size(), 100U);
  EXPECT_LE(calls, 100 * 65);  // at each draw 64 clocks start and one is drawn
}

TEST(RandomSampler, RareValidPointsAreFound) {
  const auto one_in_a_thousand = [](const Point& point) -> std::variant<Point, Rejected> {
    if (point.at("d0") == Value(0) && point.at("d1") == Value(0) && point.at("d2") == Value(0))
      return point;
    return Rejected{"rare"};
  };
  const auto sampler = random_sampler(decimal_space(5), one_in_a_thousand, one_second, lazy(1));
  EXPECT_EQ(as_set(ask_all(*sampler)).size(), 100U);
}

}  // namespace
}  // namespace quantsearch
