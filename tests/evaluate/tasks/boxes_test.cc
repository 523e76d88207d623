#include "evaluate/tasks/boxes.h"

#include <gtest/gtest.h>

namespace quantsearch {
namespace {

TEST(Boxes, OverlapIsIntersectionOverUnion) {
  const Box unit{.x = 0, .y = 0, .width = 2, .height = 2};
  EXPECT_DOUBLE_EQ(overlap(unit, unit), 1);
  EXPECT_DOUBLE_EQ(overlap(unit, {.x = 1, .y = 1, .width = 2, .height = 2}), 1.0 / 7);
  EXPECT_DOUBLE_EQ(overlap(unit, {.x = 2, .y = 0, .width = 2, .height = 2}), 0);  // they touch
  EXPECT_DOUBLE_EQ(overlap({}, {}), 0);
}

TEST(Suppress, DropsTheLesserOfTwoBoxesOfAClass) {
  const Box box{.x = 0, .y = 0, .width = 10, .height = 10};
  const Box moved{.x = 1, .y = 0, .width = 10, .height = 10};  // overlap 9/11
  const auto kept = suppress({{box, 0.5, 0}, {moved, 0.8, 0}, {box, 0.4, 1}}, {});
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_EQ(kept[0].box, moved);
  EXPECT_EQ(kept[1].category, 1);  // boxes of another class stay
  EXPECT_EQ(suppress({{box, 0.5, 0}, {moved, 0.8, 0}}, {.overlap = 0.82}).size(), 2U);
}

TEST(Suppress, ABoxThatWasDroppedDropsNoOther) {
  const auto at = [](double x) { return Box{.x = x, .y = 0, .width = 10, .height = 10}; };
  // The second overlaps the first and the third, which do not overlap by more than 0.3.
  const auto kept = suppress({{at(0), 0.9, 0}, {at(4), 0.8, 0}, {at(8), 0.7, 0}}, {.overlap = 0.3});
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_EQ(kept[1].box, at(8));
}

TEST(Suppress, KeepsTheBestAndOfEqualScoresTheEarlier) {
  const auto at = [](double x) { return Box{.x = x, .y = 0, .width = 10, .height = 10}; };
  const auto kept = suppress({{at(100), 0.5, 0}, {at(200), 0.5, 0}, {at(0), 0.9, 0}}, {.most = 2});
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_EQ(kept[0].box, at(0));
  EXPECT_EQ(kept[1].box, at(100));
}

}  // namespace
}  // namespace quantsearch
