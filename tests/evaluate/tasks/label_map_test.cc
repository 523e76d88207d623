#include "evaluate/tasks/label_map.h"

#include <gtest/gtest.h>

#include <random>

namespace quantsearch {
namespace {

LabelMap map_of(const std::vector<std::int64_t>& labels) { return LabelMap(labels); }

TEST(LabelMap, KeepsRuns) {
  const LabelMap map = map_of({1, 1, 0, 2, 2, 2});
  EXPECT_EQ(map.size(), 6);
  ASSERT_EQ(map.runs().size(), 3U);
  EXPECT_EQ(map.runs()[2].label, 2);
  EXPECT_EQ(map.runs()[2].length, 3);
}

TEST(Confusion, MeanOverlapIsOverTheClassesThatOccur) {
  Confusion confusion(-1);
  confusion.add(map_of({0, 0, 1, 1}), map_of({0, 1, 1, 1}));
  // Class 0: 1 of 2, class 1: 2 of 3.
  EXPECT_DOUBLE_EQ(confusion.mean_overlap(), (1.0 / 2 + 2.0 / 3) / 2);
  EXPECT_DOUBLE_EQ(confusion.accuracy(), 0.75);
  confusion.add(map_of({5}), map_of({0}));
  // Class 0: 1 of 3, class 5: 0 of 1; classes 2, 3 and 4 do not occur.
  EXPECT_DOUBLE_EQ(confusion.mean_overlap(), (1.0 / 3 + 2.0 / 3 + 0) / 3);
}

TEST(Confusion, IgnoredPixelsCountForNothing) {
  Confusion confusion(255);
  confusion.add(map_of({255, 1, 255, 1}), map_of({0, 1, 1, 1}));
  EXPECT_EQ(confusion.pixels(), 2);
  EXPECT_DOUBLE_EQ(confusion.mean_overlap(), 1);
  Confusion nothing(255);
  nothing.add(map_of({255}), map_of({0}));
  EXPECT_EQ(nothing.pixels(), 0);
}

TEST(Confusion, OfRunsIsThatOfPixels) {
  std::mt19937 random(5);
  std::vector<std::int64_t> truth;
  std::vector<std::int64_t> found;
  for (int i = 0; i < 500; ++i) {
    truth.push_back(random() % 3);
    found.push_back(random() % 4);
  }
  double expected = 0;
  std::int64_t right = 0;
  for (std::int64_t label = 0; label < 4; ++label) {
    double common = 0;
    double whole = 0;
    for (std::size_t i = 0; i < truth.size(); ++i) {
      common += truth[i] == label && found[i] == label ? 1 : 0;
      whole += truth[i] == label || found[i] == label ? 1 : 0;
    }
    expected += common / whole / 4;
    right += static_cast<std::int64_t>(common);
  }
  Confusion confusion(-1);
  confusion.add(map_of(truth), map_of(found));
  EXPECT_NEAR(confusion.mean_overlap(), expected, 1e-12);
  EXPECT_DOUBLE_EQ(confusion.accuracy(), static_cast<double>(right) / 500);
}

}  // namespace
}  // namespace quantsearch
