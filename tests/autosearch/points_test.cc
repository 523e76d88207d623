#include <gtest/gtest.h>

#include "quantsearch/autosearch.h"
#include "quantsearch/internal/trials/executor.h"

namespace quantsearch {
namespace {

Point normalized(const Normalize& normalize, const Point& point) {
  return std::get<Point>(normalize(point));
}

TEST(Points, SettingsWithoutEffectAreRemoved) {
  const Normalize normalize = normalize_over({});
  const Point point = normalized(normalize, {{"calibrate_method", "CalibrationMethod.MinMax"},
                                             {"extra_options.Percentile", 99.9},
                                             {"extra_options.CalibMovingAverage", false},
                                             {"extra_options.CalibMovingAverageConstant", 0.01},
                                             {"include_cle", false},
                                             {"extra_options.CLESteps", 3}});
  EXPECT_EQ(point, (Point{{"calibrate_method", "CalibrationMethod.MinMax"},
                          {"extra_options.CalibMovingAverage", false},
                          {"include_cle", false}}));
}

TEST(Points, TheBaseDeterminesWhichSettingsHaveAnEffect) {
  const Normalize normalize =
      normalize_over({{"calibrate_method", "CalibrationMethod.Percentile"}});
  EXPECT_EQ(normalized(normalize, {{"extra_options.Percentile", 99.9}}),
            (Point{{"extra_options.Percentile", 99.9}}));
}

TEST(Points, InvalidCombinationsAreRejectedWithTheirReason) {
  const auto outcome =
      normalize_over({{"per_channel", true}})({{"calibrate_method", "PowerOfTwoMethod.MinMSE"}});
  EXPECT_EQ(std::get<Rejected>(outcome).reason,
            "power-of-two methods need per-tensor weights (per_channel: false)");
}

TEST(Points, QuarksDocumentedCalibrationGridHasFarFewerModelsThanPoints) {
  // 5 methods x 2 x 2 types x 2^3 switches x 2 x 2 = 640 raw points; MinMax uses the moving average
  // and its constant (3 ways), Percentile uses its percentile (2 ways), and the others use none of
  // these: (3 + 2 + 3) x 16 = 128.
  const Space space(
      {{"calibrate_method",
        {"PowerOfTwoMethod.MinMSE", "PowerOfTwoMethod.NonOverflow", "CalibrationMethod.MinMax",
         "CalibrationMethod.Entropy", "CalibrationMethod.Percentile"}},
       {"activation_type", {"QInt8", "QInt16"}},
       {"weight_type", {"QInt8", "QInt16"}},
       {"extra_options.ActivationSymmetric", {true, false}},
       {"extra_options.WeightSymmetric", {true, false}},
       {"extra_options.CalibMovingAverage", {true, false}},
       {"extra_options.CalibMovingAverageConstant", {0.01, 0.001}},
       {"extra_options.Percentile", {99.99, 99.999}}});
  const SpaceSummary summary = summarize(space, normalize_over({}));
  EXPECT_EQ(summary.raw, 640);
  EXPECT_EQ(summary.distinct, 128);
}

TEST(Points, EveryPointOfTheDefaultSpaceIsValid) {
  const SpaceSummary summary =
      summarize(default_space(settings_from(Value())), normalize_over(settings_from(Value())));
  EXPECT_TRUE(summary.filtered.empty());
  EXPECT_EQ(summary.distinct, (1 + 2 + 1 + 1 + 1) * 2 * 2 * 2);
}

// For every preset no point of its default space is filtered out, and its types are kept.
TEST(Points, TheDefaultSpaceFitsEveryPreset) {
  for (const PresetInfo& preset : all_presets()) {
    if (preset.refused) continue;
    const SpaceSummary summary =
        summarize(default_space(preset.settings), normalize_over(preset.settings));
    EXPECT_TRUE(summary.filtered.empty()) << preset.name << ": " << summary.filtered.begin()->first;
    EXPECT_GE(summary.distinct, 8) << preset.name;
    const Point point = default_space(preset.settings).at(0);
    const Settings settings = settings_of(preset.settings, point);
    EXPECT_EQ(effective_value("activation_type", settings),
              effective_value("activation_type", preset.settings))
        << preset.name;
  }
}

Normalize normalize_for(const Model& model) {
  return normalize_over({}, std::make_shared<Applicability>(remembered_simplify(model)));
}

TEST(Points, EqualizationWithoutChainsIsThePointWithoutIt) {
  const std::string folder = QUANTSEARCH_SOURCE_DIR;
  const Point asked = {{"include_cle", true}, {"extra_options.CLESteps", 3}};
  const Model clipped = load_model(folder + "/examples/fashion_mnist/mobilenet_s.onnx");
  EXPECT_EQ(normalized(normalize_for(clipped), asked), (Point{{"include_cle", false}}));
  const Model chained = load_model(folder + "/tests/data/resnet8.onnx");
  EXPECT_EQ(normalized(normalize_for(chained), asked), asked);
}

TEST(Points, ReplacingClipByReluMakesEqualizationApplicable) {
  const Model clipped =
      load_model(std::string(QUANTSEARCH_SOURCE_DIR) + "/examples/fashion_mnist/mobilenet_s.onnx");
  const Point asked = {{"include_cle", true}, {"extra_options.ReplaceClip6Relu", true}};
  EXPECT_EQ(normalized(normalize_for(clipped), asked), asked);
}

TEST(Points, AFailingSimplificationLeavesThePointUnchanged) {
  const Model model = load_model(std::string(QUANTSEARCH_SOURCE_DIR) + "/tests/data/resnet8.onnx");
  const Point asked = {{"include_cle", true}, {"extra_options.ConvertOpsetVersion", 7}};
  EXPECT_EQ(normalized(normalize_for(model), asked), asked);
}

// Equalized points are separate trials only in models with chains.
TEST(Points, TheDefaultSpaceCountsEqualizationWhereItApplies) {
  const std::string folder = QUANTSEARCH_SOURCE_DIR;
  const AutoSearchConfig config = parse_search_config(Value(Value::Map{}));
  EXPECT_EQ(plan_space(config, load_model(folder + "/examples/fashion_mnist/mobilenet_s.onnx"), 0)
                .summary.distinct,
            24);
  EXPECT_EQ(plan_space(config, load_model(folder + "/tests/data/resnet8.onnx"), 0).summary.distinct,
            48);
}

}  // namespace
}  // namespace quantsearch
