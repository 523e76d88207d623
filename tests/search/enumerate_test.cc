#include "search/enumerate.h"

#include <gtest/gtest.h>

#include "search/problems.h"

namespace quantsearch {
namespace {

TEST(VisitDistinct, CountsTheRawPointsItLeavesOut) {
  const Walk result = walk(conditional_space(), conditional, 100);
  EXPECT_EQ(result.counts.raw, 12);
  EXPECT_EQ(result.points.size(), 7U);
  EXPECT_EQ(result.counts.duplicates, 3);
  EXPECT_EQ(result.counts.filtered,
            (std::map<std::string, std::int64_t>{{"entropy has no 16 bits", 2}}));
  EXPECT_EQ(to_string(result.points.front()), "bits=8 method=minmax");
}

TEST(VisitDistinct, StopsAtTheLimit) {
  const Walk result = walk(decimal_space(9), keep_all, 5);
  EXPECT_EQ(result.counts.raw, 5);
  EXPECT_EQ(result.points.size(), 5U);
  EXPECT_TRUE(walk(line_space(5), keep_all, 0).points.empty());
}

TEST(VisitDistinct, PointsOfSeveralSpacesAppearOnce) {
  const Space twice = Space::union_of({line_space(3), line_space(4)});
  const Walk result = walk(twice, keep_all, 100);
  EXPECT_EQ(result.points.size(), 4U);
  EXPECT_EQ(result.counts.duplicates, 3);
}

TEST(DistinctPoints, AreTheVisitedOnes) {
  EXPECT_EQ(distinct_points(conditional_space(), conditional, 100),
            walk(conditional_space(), conditional, 100).points);
}

TEST(Summarize, CountsDistinctPoints) {
  const SpaceSummary summary = summarize(conditional_space(), conditional);
  EXPECT_EQ(summary.raw, 12);
  EXPECT_EQ(summary.distinct, 7);
  EXPECT_EQ(summary.filtered.at("entropy has no 16 bits"), 2);
  EXPECT_TRUE(summary.complete);
}

TEST(Summarize, IsALowerBoundBeyondItsLimit) {
  const SpaceSummary summary = summarize(decimal_space(9), keep_all, 10);
  EXPECT_EQ(summary.raw, 1'000'000'000);
  EXPECT_EQ(summary.distinct, 10);
  EXPECT_FALSE(summary.complete);
}

TEST(Summarize, IsCompleteAtItsLimit) {
  EXPECT_TRUE(summarize(line_space(5), keep_all, 5).complete);
}

TEST(Summarize, ASpaceWithoutAValidPointHasNone) {
  const auto never = [](const Point&) -> std::variant<Point, Rejected> {
    return Rejected{"never"};
  };
  const SpaceSummary summary = summarize(line_space(4), never);
  EXPECT_EQ(summary.distinct, 0);
  EXPECT_EQ(summary.filtered.at("never"), 4);
}

}  // namespace
}  // namespace quantsearch
