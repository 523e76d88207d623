#include "quantsearch/internal/pipeline/same_model.h"

#include <gtest/gtest.h>

namespace quantsearch {
namespace {

const Settings kMinMax = {{"calibrate_method", "CalibrationMethod.MinMax"}};
const Settings kPercentile = {{"calibrate_method", "CalibrationMethod.Percentile"}};

Settings with(Settings settings, const std::string& option, const Value& value) {
  settings[option] = value;
  return settings;
}

TEST(SameModel, IsMadeWhenAnOptionSaysWhatHappensWithoutIt) {
  EXPECT_TRUE(make_same_model(kMinMax, kMinMax));
  const std::string symmetric = "extra_options.CalibTensorRangeSymmetric";
  EXPECT_TRUE(make_same_model(kMinMax, with(kMinMax, symmetric, false)));
  EXPECT_TRUE(make_same_model(kPercentile, with(kPercentile, symmetric, true)));
  EXPECT_FALSE(make_same_model(kMinMax, with(kMinMax, symmetric, true)));
  EXPECT_TRUE(
      make_same_model(kMinMax, with(kMinMax, "extra_options.WeightCalibrateMethod", "MinMax")));
}

TEST(SameModel, IsNotMadeByOtherOptionsOrByInvalidOnes) {
  EXPECT_FALSE(make_same_model(kMinMax, kPercentile));
  EXPECT_FALSE(make_same_model(kMinMax, with(kMinMax, "per_channel", true)));
  const Settings invalid = with(kMinMax, "enable_npu_cnn", true);  // which needs powers of two
  EXPECT_FALSE(make_same_model(invalid, invalid));
}

}  // namespace
}  // namespace quantsearch
