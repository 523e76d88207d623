#include "autosearch/cost_model.h"

#include <gtest/gtest.h>

namespace quantsearch {
namespace {

TrialCosts costs() { return {{}, 2.0, Key{1, 1}, Key{2, 2}}; }

TEST(TrialCosts, SixteenBitIsExpectedToTakeLonger) {
  EXPECT_LT(costs().expected({{"activation_type", "QUInt8"}}).seconds,
            costs().expected({{"activation_type", "QInt16"}}).seconds);
}

TEST(TrialCosts, PointsThatShareStagesShareAPrefix) {
  const auto narrow = costs().expected({{"activation_type", "QInt8"}}).prefix;
  const auto wide = costs().expected({{"activation_type", "QInt16"}}).prefix;
  EXPECT_EQ(narrow, wide);
  const auto percentile =
      costs().expected({{"calibrate_method", "CalibrationMethod.Percentile"}}).prefix;
  ASSERT_EQ(percentile.size(), 3U);
  EXPECT_EQ(percentile[1], narrow[1]);
  EXPECT_NE(percentile[2], narrow[2]);
}

}  // namespace
}  // namespace quantsearch
