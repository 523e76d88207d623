// Tests every option of mixed precision as a user writes it, on a network of three layers, of which
// the layer "hard" needs more than 8 bits.

#include <gtest/gtest.h>

#include <algorithm>

#include "precision/setting.h"
#include "quantsearch/base/error.h"
#include "quantsearch/pipeline/pipeline.h"
#include "support/budgets.h"

namespace quantsearch {
namespace {

using testing::kPlenty;

/// `options`: the entries of the AutoMixprecision mapping.
Candidate build(const std::string& options) {
  ThreadPool pool(1);
  Pipeline pipeline(testing::network_with_a_hard_layer(), testing::twelve_samples(), pool,
                    ByteBudget(kPlenty), {});
  const Value config =
      parse_yaml("{preset: U8S8_CPU, include_auto_mp: true, extra_options: {AutoMixprecision: {" +
                     options + "}}}",
                 "test");
  return pipeline.build(resolve(settings_from(config)), CancellationToken());
}

std::vector<std::string> high_layers(const std::string& options) {
  std::vector<std::string> names;
  for (const LayerPrecision& layer : build(options).precision) {
    if (layer.is_high) names.push_back(layer.node);
  }
  return names;
}

std::string error_of(const std::string& options) {
  try {
    (void)build(options);
  } catch (const InvalidInput& error) {
    return error.what();
  }
  return "no error";
}

NodeFormat format_of_hard(const std::string& options) {
  return build(options).precision.at(1).format;
}

const std::vector<std::string> kHard = {"hard"};
const std::vector<std::string> kNone = {};

TEST(PrecisionOptions, L2TargetWidensOnlyTheLayersThatNeedIt) {
  EXPECT_EQ(high_layers("L2Target: 0.001"), kHard);
  EXPECT_EQ(high_layers("L2Target: 10"), kNone);
}

TEST(PrecisionOptions, TargetTypesAreTheTypesOfWidenedLayers) {
  EXPECT_EQ(format_of_hard("L2Target: 0.001, WeightTargetQuantType: QInt16"),
            (NodeFormat{.activation = DataType::uint8, .weight = DataType::int16}));
  EXPECT_EQ(format_of_hard("NumTarget: 1, TargetQuantType: QInt16"),
            (NodeFormat{.activation = DataType::int16, .weight = DataType::int16}));
  EXPECT_EQ(error_of("L2Target: 0.001, ActTargetQuantType: QUInt16")
                .find("precision: with all 3 layers in the most precise format"),
            0U);
}

TEST(PrecisionOptions, AllowFloatLeavesALayerFloatWhereTheWiderTypeIsNotEnough) {
  const std::string options = "L2Target: 0.001, ActTargetQuantType: QUInt16, AllowFloat: true";
  EXPECT_FALSE(high_layers(options).empty());
  EXPECT_TRUE(format_of_hard(options).keep_float);
}

TEST(PrecisionOptions, TheTargetTypeFloatLeavesTheLayersThatNeedItFloat) {
  const std::string options = "L2Target: 0.001, TargetQuantType: Float";
  // The last layer would read what "hard" computes with 8 bits.
  EXPECT_EQ(high_layers(options), (std::vector<std::string>{"hard", "last"}));
  EXPECT_EQ(format_of_hard(options),
            (NodeFormat{.activation = {}, .weight = {}, .keep_float = true}));
}

TEST(PrecisionOptions, WorstSliceTargetIsALimitOfItsOwn) {
  EXPECT_EQ(high_layers("WorstSliceTarget: 0.001, TargetQuantType: Float"),
            high_layers("L2Target: 0.001, TargetQuantType: Float"));
  EXPECT_EQ(high_layers("WorstSliceTarget: 10, TargetQuantType: Float"), kNone);
}

TEST(PrecisionOptions, AllowFloatKeepsTheWiderTypeWhereItIsEnough) {
  EXPECT_EQ(format_of_hard("L2Target: 0.001, AllowFloat: true"), format_of_hard("L2Target: 0.001"));
}

TEST(PrecisionOptions, ChangedClassesCanBeLimited) {
  EXPECT_FALSE(high_layers("Top1AccTarget: 0").empty());
  EXPECT_EQ(high_layers("Top1AccTarget: 1"), kNone);
  EXPECT_FALSE(high_layers("Top1RareTarget: 0").empty());
  EXPECT_EQ(high_layers("Top1RareTarget: 1"), kNone);
}

TEST(PrecisionOptions, BudgetsGoToTheMostSensitiveLayer) {
  EXPECT_EQ(high_layers("NumTarget: 1"), kHard);
  EXPECT_EQ(high_layers("MaxShare: 0.34"), kHard);
  EXPECT_EQ(high_layers("MaxShare: 0.3"), kNone);
  EXPECT_EQ(high_layers("MaxBytes: 1"), kNone);
  EXPECT_FALSE(high_layers("MaxBytes: 1000000").empty());
}

TEST(PrecisionOptions, QualityFillsTheBudgetAndSpeedDoesNot) {
  EXPECT_EQ(high_layers("L2Target: 0.001, NumTarget: 2, MetricOptimizeObject: speed"), kHard);
  EXPECT_EQ(high_layers("L2Target: 0.001, NumTarget: 2, MetricOptimizeObject: quality").size(), 2U);
}

TEST(PrecisionOptions, MetricThresholdLimitsTheMetricOfMetricDefault) {
  EXPECT_EQ(high_layers("MetricDefault: cosine, MetricThreshold: 0.001"), kHard);
  EXPECT_EQ(high_layers("MetricDefault: sqnr, MetricThreshold: 30"), kHard);
  EXPECT_EQ(high_layers("MetricDefault: psnr, MetricThreshold: 0"), kNone);
  EXPECT_EQ(high_layers("MetricDefault: kl, MetricThreshold: 1000"), kNone);
  EXPECT_EQ(high_layers("MetricDefault: l2, MetricThreshold: 0.001"), kHard);
}

TEST(PrecisionOptions, ScopeSelectsLayersAndThoseThatMayChange) {
  EXPECT_EQ(build("NumTarget: 1, TargetOpType: [Conv]").precision.size(), 3U);
  EXPECT_EQ(build("NumTarget: 1, TargetOpType: [MatMul]").precision.size(), 1U);
  EXPECT_EQ(high_layers("NumTarget: 3, IncludeLayers: [hard]"), kHard);
  const std::vector<std::string> others = high_layers("NumTarget: 3, ExcludeLayers: [hard]");
  EXPECT_EQ(std::ranges::count(others, "hard"), 0);
}

TEST(PrecisionOptions, SizesSetTheNumberOfSamples) {
  EXPECT_EQ(high_layers("L2Target: 0.001, DataSize: 3, ProbeSize: 2"), kHard);
  const QuantizationConfig config =
      resolve(settings_from(parse_yaml("{include_auto_mp: true, extra_options: {AutoMixprecision: "
                                       "{L2Target: 1, DataSize: 3, ProbeSize: 2}}}",
                                       "test")));
  EXPECT_EQ(config.precision->samples, 3);
  EXPECT_EQ(config.precision->probe_samples, 2);
}

TEST(PrecisionOptions, OutputIndexSelectsTheOutputThatIsMeasured) {
  EXPECT_EQ(high_layers("L2Target: 0.001, OutputIndex: 0"), kHard);
  EXPECT_EQ(error_of("L2Target: 0.001, OutputIndex: 1"),
            "precision: output index 1, expected 0 to 0");
}

}  // namespace
}  // namespace quantsearch
