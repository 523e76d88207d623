#include "search/enumerate.h"

#include <gtest/gtest.h>

#include "search/problems.h"

namespace quantsearch {
namespace {

TEST(Enumerate, CountsWhatItLeavesOut) {
  const Enumeration result = enumerate(conditional_space(), conditional, 100);
  EXPECT_EQ(result.raw, 12);
  EXPECT_EQ(result.points.size(), 7U);
  EXPECT_EQ(result.duplicates, 3);
  EXPECT_EQ(result.filtered, (std::map<std::string, std::int64_t>{{"entropy has no 16 bits", 2}}));
  EXPECT_TRUE(result.complete);
  EXPECT_EQ(to_string(result.points.front()), "bits=8 method=minmax");
}

TEST(Enumerate, StopsAtTheLimit) {
  const Enumeration result = enumerate(decimal_space(9), keep_all, 5);
  EXPECT_EQ(result.raw, 5);
  EXPECT_EQ(result.points.size(), 5U);
  EXPECT_FALSE(result.complete);
  EXPECT_TRUE(enumerate(line_space(5), keep_all, 5).complete);
  EXPECT_TRUE(enumerate(line_space(5), keep_all, 0).points.empty());
}

TEST(Enumerate, PointsOfSeveralSpacesAppearOnce) {
  const Space twice = Space::union_of({line_space(3), line_space(4)});
  const Enumeration result = enumerate(twice, keep_all, 100);
  EXPECT_EQ(result.points.size(), 4U);
  EXPECT_EQ(result.duplicates, 3);
}

TEST(Summarize, SaysHowManyPointsAreDistinct) {
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
