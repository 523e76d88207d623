#include "pipeline/stage_keys.h"

#include <gtest/gtest.h>

#include "pipeline/content_keys.h"
#include "quantsearch/pipeline/pipeline.h"

namespace quantsearch {
namespace {

using testing::kData;
using testing::kModel;

std::vector<Key> keys_of(const std::string& yaml) {
  return stage_keys(kModel, kData, resolve(settings_from(parse_yaml(yaml, "test"))));
}

TEST(StageKeys, ConfigurationsShareEqualStages) {
  const auto min_max = keys_of("{calibrate_method: MinMax, activation_type: QInt8}");
  const auto percentile = keys_of("{calibrate_method: Percentile, activation_type: QInt8}");
  EXPECT_EQ(min_max[0], percentile[0]);
  EXPECT_EQ(min_max[1], percentile[1]);
  EXPECT_NE(min_max[2], percentile[2]);
  EXPECT_NE(min_max[3], percentile[3]);
}

TEST(StageKeys, MinMaxRangesServeEveryType) {
  const auto narrow = keys_of("{calibrate_method: MinMax, activation_type: QInt8}");
  const auto wide = keys_of("{calibrate_method: MinMax, activation_type: QInt16}");
  EXPECT_EQ(narrow[2], wide[2]);
  EXPECT_NE(narrow[3], wide[3]);
}

TEST(StageKeys, RangesThatMinimiseAnErrorDependOnTheType) {
  EXPECT_NE(keys_of("{calibrate_method: CalibrationMethod.MinMSE, activation_type: QInt8}")[2],
            keys_of("{calibrate_method: CalibrationMethod.MinMSE, activation_type: QInt16}")[2]);
}

TEST(StageKeys, OptionsOfOtherMethodsChangeNothing) {
  EXPECT_EQ(keys_of("{calibrate_method: MinMax, extra_options: {Percentile: 99.9}}"),
            keys_of("{calibrate_method: MinMax}"));
}

TEST(StageKeys, ExclusionsChangeOnlyTheLastStage) {
  const auto all = keys_of("{calibrate_method: MinMax}");
  const auto some = keys_of("{calibrate_method: MinMax, nodes_to_exclude: [conv1]}");
  EXPECT_EQ(all[2], some[2]);
  EXPECT_NE(all[3], some[3]);
}

TEST(StageKeys, EqualizationIsAStageThatReadsItsOwnOptions) {
  const auto plain = keys_of("{calibrate_method: MinMax}");
  const auto equalized = keys_of("{calibrate_method: MinMax, include_cle: true}");
  ASSERT_EQ(equalized.size(), plain.size() + 1);
  EXPECT_EQ(equalized[0], plain[0]);
  for (std::size_t stage = 1; stage < plain.size(); ++stage)
    EXPECT_NE(equalized[stage + 1], plain[stage]);
  const auto keys = [](const std::string& options) {
    return keys_of("{calibrate_method: MinMax, include_cle: true, extra_options: {" + options +
                   "}}");
  };
  EXPECT_EQ(keys("CLESteps: 1"), equalized);
  // A single sweep does not read the difference.
  EXPECT_EQ(keys("CLETotalLayerDiffThreshold: 1"), equalized);
  for (const char* option : {"CLESteps: 2", "CLEWeightThreshold: 1", "CLEScaleUseThreshold: false",
                             "CLEScaleAppendBias: false", "ReplaceClip6Relu: true"}) {
    EXPECT_EQ(keys(option)[0], equalized[0]) << option;
    EXPECT_NE(keys(option)[1], equalized[1]) << option;
  }
}

TEST(StageKeys, AbsorptionSharesTheEqualization) {
  const auto equalized = keys_of("{calibrate_method: MinMax, include_cle: true}");
  const auto absorbed = keys_of(
      "{calibrate_method: MinMax, include_cle: true, extra_options: {CLEBiasAbsorption: minimum}}");
  ASSERT_EQ(absorbed.size(), equalized.size() + 2);
  for (std::size_t stage = 0; stage < 2; ++stage) EXPECT_EQ(absorbed[stage], equalized[stage]);
  EXPECT_NE(absorbed[2], equalized[2]);  // other tensors are observed
  for (std::size_t stage = 2; stage < equalized.size(); ++stage)
    EXPECT_NE(absorbed[stage + 2], equalized[stage]);
  EXPECT_NE(keys_of("{calibrate_method: MinMax, include_cle: true, extra_options: "
                    "{CLEBiasAbsorption: three_sigma}}")[3],
            absorbed[3]);
}

TEST(StageKeys, SmoothingReadsTheObservationOfTheUnsmoothedModel) {
  const auto plain = keys_of("{calibrate_method: MinMax}");
  const auto smoothed = keys_of("{calibrate_method: MinMax, include_sq: true}");
  ASSERT_EQ(smoothed.size(), plain.size() + 2);
  EXPECT_EQ(smoothed[0], plain[0]);
  EXPECT_EQ(smoothed[1], plain[1]);
  for (std::size_t stage = 1; stage < plain.size(); ++stage)
    EXPECT_NE(smoothed[stage + 2], plain[stage]);
  const auto key = [](const std::string& options) {
    return keys_of("{calibrate_method: MinMax, include_sq: true, " + options + "}")[2];
  };
  EXPECT_EQ(key("per_channel: true"), smoothed[2]);
  EXPECT_NE(key("extra_options: {SmoothAlpha: 0.6}"), smoothed[2]);
  EXPECT_NE(key("extra_options: {SmoothAlpha: auto}"), smoothed[2]);
  EXPECT_NE(key("per_channel: true, extra_options: {SmoothAlpha: auto}"),
            key("extra_options: {SmoothAlpha: auto}"));
}

TEST(StageKeys, NodeFormatsChangeOnlyTheLastStage) {
  const auto plain = keys_of("{calibrate_method: MinMax}");
  const auto weights =
      keys_of("{calibrate_method: MinMax, node_formats: {conv1: {weight_type: QInt16}}}");
  EXPECT_EQ(plain[2], weights[2]);
  EXPECT_NE(plain[3], weights[3]);
}

TEST(StageKeys, EveryActivationTypeHasItsOwnRangesUnderMethodsThatReadTheType) {
  const auto entropy = keys_of(
      "{calibrate_method: Entropy, activation_type: QUInt8, "
      "node_formats: {conv1: {activation_type: QUInt16}}}");
  EXPECT_EQ(entropy.size(), 5U);
  EXPECT_NE(entropy[2], entropy[3]);
  const auto min_max = keys_of(
      "{calibrate_method: MinMax, activation_type: QUInt8, "
      "node_formats: {conv1: {activation_type: QUInt16}}}");
  EXPECT_EQ(min_max[2], min_max[3]);
  EXPECT_EQ(entropy[2], keys_of("{calibrate_method: Entropy, activation_type: QUInt8}")[2]);
}

TEST(StageKeys, ModelAndDataAffectEveryLaterStage) {
  const QuantizationConfig config = resolve(settings_from(Value()));
  const auto keys = stage_keys(kModel, kData, config);
  const auto other_data = stage_keys(kModel, Key{5, 6}, config);
  const auto other_model = stage_keys(Key{7, 8}, kData, config);
  EXPECT_EQ(keys[0], other_data[0]);
  for (std::size_t stage = 1; stage < keys.size(); ++stage)
    EXPECT_NE(keys[stage], other_data[stage]);
  for (std::size_t stage = 0; stage < keys.size(); ++stage)
    EXPECT_NE(keys[stage], other_model[stage]);
}

TEST(StageKeys, OverridesAffectRangesOnlyUnderMethodsThatReadTypes) {
  const std::string wide = "extra_options: {TensorQuantOverrides: {x: [{quant_type: QInt16}]}}";
  const auto plain = keys_of("{calibrate_method: MinMax}");
  const auto min_max = keys_of("{calibrate_method: MinMax, " + wide + "}");
  EXPECT_EQ(plain[2], min_max[2]);
  EXPECT_NE(plain[3], min_max[3]);
  EXPECT_NE(keys_of("{calibrate_method: CalibrationMethod.MinMSE}")[2],
            keys_of("{calibrate_method: CalibrationMethod.MinMSE, " + wide + "}")[2]);
}

}  // namespace
}  // namespace quantsearch
