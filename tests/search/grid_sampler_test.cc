#include <gtest/gtest.h>

#include "search/problems.h"

namespace quantsearch {
namespace {

/// Counts the calls of a Normalize function.
struct CountedNormalize {
  std::shared_ptr<int> calls = std::make_shared<int>(0);
  std::variant<Point, Rejected> operator()(const Point& point) const {
    ++*calls;
    return point;
  }
};

Expected cheap_when_small(const Point& point) { return {.seconds = 1 + point.at("x").as_double()}; }
Expected cheap_when_large(const Point& point) {
  return {.seconds = 100 - point.at("x").as_double()};
}

TEST(GridSampler, ProposesEachDistinctPointOnce) {
  const auto sampler = grid_sampler(conditional_space(), conditional, one_second);
  EXPECT_EQ(sampler->remaining(), 7);
  const std::vector<std::string> points = ask_all(*sampler);
  EXPECT_EQ(
      points,
      (std::vector<std::string>{
          "bits=8 method=minmax", "bits=16 method=minmax", "bits=8 method=percentile share=99.9",
          "bits=16 method=percentile share=99.9", "bits=8 method=percentile share=99.99",
          "bits=16 method=percentile share=99.99", "bits=8 method=entropy"}));
  EXPECT_EQ(sampler->remaining(), 0);
  EXPECT_EQ(sampler->ask(), std::nullopt);
}

TEST(GridSampler, ProposesCheapPointsFirst) {
  const auto sampler = grid_sampler(line_space(3), keep_all, cheap_when_large);
  EXPECT_EQ(ask_all(*sampler), (std::vector<std::string>{"x=2", "x=1", "x=0"}));
  const auto other = grid_sampler(line_space(3), keep_all, cheap_when_small);
  EXPECT_EQ(ask_all(*other), (std::vector<std::string>{"x=0", "x=1", "x=2"}));
}

TEST(GridSampler, ASpaceWithoutAValidPointIsExhaustedAtOnce) {
  const auto never = [](const Point&) -> std::variant<Point, Rejected> {
    return Rejected{"never"};
  };
  for (const std::int64_t limit : {100, 1}) {
    const auto sampler =
        grid_sampler(line_space(4), never, one_second, {.seed = 0, .enumeration_limit = limit});
    EXPECT_EQ(sampler->ask(), std::nullopt);
    EXPECT_EQ(sampler->remaining(), 0);
  }
}

TEST(GridSampler, TheLazyWalkProposesTheSamePoints) {
  const auto whole = grid_sampler(conditional_space(), conditional, one_second);
  const auto lazy = grid_sampler(conditional_space(), conditional, one_second,
                                 {.seed = 0, .enumeration_limit = 11});
  EXPECT_EQ(lazy->remaining(), std::nullopt);
  const std::vector<std::string> points = ask_all(*lazy);
  EXPECT_EQ(points.size(), 7U);
  EXPECT_EQ(as_set(points), as_set(ask_all(*whole)));
  EXPECT_EQ(lazy->remaining(), 0);
}

TEST(GridSampler, DoesNotEnumerateABillionPointsBeforeTheFirstProposal) {
  const CountedNormalize normalize;
  const auto sampler = grid_sampler(decimal_space(9), normalize, one_second);
  const int probes = *normalize.calls;
  EXPECT_LE(probes, 9 * 10 + 1);
  EXPECT_EQ(as_set(ask_all(*sampler, 1000)).size(), 1000U);
  EXPECT_EQ(*normalize.calls, probes + 1000);
}

TEST(GridSampler, TheLazyWalkOfSeveralSpacesRepeatsNoPoint) {
  const Space space = Space::union_of({line_space(30), line_space(40)});
  const auto sampler =
      grid_sampler(space, keep_all, one_second, {.seed = 0, .enumeration_limit = 10});
  const std::vector<std::string> points = ask_all(*sampler);
  EXPECT_EQ(points.size(), 40U);
  EXPECT_EQ(as_set(points).size(), 40U);
}

}  // namespace
}  // namespace quantsearch
