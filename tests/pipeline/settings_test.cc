#include "quantsearch/pipeline/settings.h"

#include <gtest/gtest.h>

#include <functional>

#include "quantsearch/base/error.h"
#include "support/messages.h"

namespace quantsearch {
namespace {

Settings settings_of_yaml(const std::string& text) {
  return settings_from(parse_yaml(text, "test"));
}

TEST(Settings, ShortNamesMeanTheFullOnes) {
  const Settings settings =
      settings_of_yaml("{calibrate_method: MinMax, activation_type: QuantType.QInt8}");
  EXPECT_EQ(settings.at("calibrate_method"), Value("CalibrationMethod.MinMax"));
  EXPECT_EQ(settings.at("activation_type"), Value("QInt8"));
}

TEST(Settings, MinMseWithoutAPrefixIsThePowerOfTwoMethod) {
  EXPECT_EQ(settings_of_yaml("calibrate_method: MinMSE").at("calibrate_method"),
            Value("PowerOfTwoMethod.MinMSE"));
}

TEST(Settings, APresetIsOverriddenByTheOtherKeys) {
  const QuantizationConfig config = resolve(settings_of_yaml(
      "{preset: S8S8_AAWS, activation_type: QInt16, extra_options: {Percentile: 99.9}}"));
  EXPECT_EQ(config.quantize.activation_type, DataType::int16);
  EXPECT_EQ(config.quantize.weight_type, DataType::int8);
  EXPECT_EQ(config.ranges.method, RangeMethod::percentile);
  EXPECT_EQ(config.ranges.percentile, 99.9);
}

TEST(Settings, TheDefaultIsUint8ActivationsWithPerChannelInt8Weights) {
  const QuantizationConfig config = resolve(settings_from(Value()));
  EXPECT_EQ(config.quantize.activation_type, DataType::uint8);
  EXPECT_EQ(config.quantize.weight_type, DataType::int8);
  EXPECT_TRUE(config.quantize.per_channel);
  EXPECT_FALSE(config.quantize.activation_symmetric);
}

TEST(Settings, PowerOfTwoMethodsMakePowerOfTwoScales) {
  const QuantizationConfig up = resolve(settings_of_yaml("calibrate_method: NonOverflow"));
  EXPECT_TRUE(up.quantize.power_of_two);
  EXPECT_EQ(up.quantize.power_of_two_rounding, PowerOfTwoRounding::up);
  EXPECT_EQ(resolve(settings_of_yaml("calibrate_method: MinMSE")).quantize.power_of_two_rounding,
            PowerOfTwoRounding::nearest);
}

TEST(Settings, NodesHaveFormatsOfTheirOwn) {
  const QuantizationConfig config =
      resolve(settings_of_yaml("node_formats: {a: {activation_type: QuantType.QInt16}, b: "
                               "{weight_type: QUInt8}, c: float}"));
  const auto& formats = config.quantize.node_formats;
  EXPECT_EQ(formats.at("a"), (NodeFormat{.activation = DataType::int16}));
  EXPECT_EQ(formats.at("b"), (NodeFormat{.weight = DataType::uint8}));
  EXPECT_EQ(formats.at("c"), (NodeFormat{.keep_float = true}));
}

TEST(Settings, NodeFormatsSurviveBeingWritten) {
  const Settings settings =
      settings_of_yaml("node_formats: {a: {activation_type: QInt16}, c: Float}");
  EXPECT_EQ(settings_from(parse_yaml(to_yaml(to_value(settings)), "test")), settings);
}

TEST(Settings, BadNodeFormatsAreNamedInTheMessage) {
  EXPECT_EQ(message_of([] { (void)settings_of_yaml("node_formats: {a: {type: QInt8}}"); }),
            "configuration: 'node_formats': node 'a': unknown key 'type'; nearest known: "
            "'activation_type', 'weight_type'");
  EXPECT_EQ(message_of([] { (void)settings_of_yaml("node_formats: {a: {}}"); }),
            "configuration: 'node_formats': node 'a': got an empty mapping, expected "
            "activation_type, weight_type or both");
  EXPECT_EQ(message_of([] { (void)settings_of_yaml("node_formats: {a: QInt16}"); }),
            "configuration: 'node_formats': unknown value 'QInt16'; known: 'Float'");
}

TEST(Settings, MixedPrecisionWidensFromEightBits) {
  const QuantizationConfig config = resolve(
      settings_of_yaml("{activation_type: QUInt8, weight_type: QInt8, include_auto_mp: true, "
                       "extra_options: {AutoMixPrecision: {L2Target: 0.01, NumTarget: 5}}}"));
  ASSERT_TRUE(config.precision.has_value());
  EXPECT_EQ(config.precision->low, NodeFormat{});
  ASSERT_EQ(config.precision->high.size(), 3U);  // weights, activations, both
  EXPECT_EQ(config.precision->high[0], (NodeFormat{.weight = DataType::int16}));
  EXPECT_EQ(config.precision->high[1], (NodeFormat{.activation = DataType::uint16}));
  EXPECT_EQ(config.precision->high[2],
            (NodeFormat{.activation = DataType::uint16, .weight = DataType::int16}));
  EXPECT_EQ(config.precision->thresholds, (std::map<Metric, double>{{Metric::rel_l2, 0.01}}));
  EXPECT_EQ(config.precision->max_high_layers, 5);
}

TEST(Settings, MixedPrecisionNarrowsFromSixteenBits) {
  const QuantizationConfig config = resolve(settings_of_yaml("S16S16_MIXED_S8S8"));
  const NodeFormat eight{.activation = DataType::int8, .weight = DataType::int8};
  EXPECT_EQ(config.precision->low, eight);
  EXPECT_EQ(config.precision->high.back(), NodeFormat{});
  EXPECT_EQ(
      resolve(settings_of_yaml(
                  "{preset: S16S16_MIXED_S8S8, extra_options: {AutoMixprecision: {NumTarget: 7}}}"))
          .precision->min_low_layers,
      7);
}

TEST(Settings, AllLimitsOfMixedPrecisionAreKept) {
  const QuantizationConfig config =
      resolve(settings_of_yaml("{preset: U8S8_MIXED_U16S16, extra_options: {AutoMixprecision: "
                               "{L2Target: 0.1, MetricThreshold: 0.05, Top1AccTarget: "
                               "0.01}}}"));
  // The stricter of two limits on the same metric applies.
  EXPECT_EQ(config.precision->thresholds.at(Metric::rel_l2), 0.05);
  EXPECT_EQ(config.precision->changed_classes, 0.01);
  EXPECT_EQ(
      resolve(settings_of_yaml(
                  "{preset: U8S8_MIXED_U16S16, extra_options: {AutoMixprecision: {MetricDefault: "
                  "cosine, MetricThreshold: 0.01}}}"))
          .precision->thresholds.at(Metric::cos),
      0.99);
}

TEST(Settings, MixedPrecisionNeedsALimitAndAnotherWidth) {
  EXPECT_EQ(contradiction(settings_of_yaml("include_auto_mp: true")),
            "include_auto_mp needs a limit: L2Target, Top1AccTarget, Top1RareTarget, "
            "MetricThreshold, NumTarget, MaxShare "
            "or MaxBytes of AutoMixprecision");
  EXPECT_EQ(
      contradiction(settings_of_yaml(
          "{activation_type: QUInt8, weight_type: QInt8, include_auto_mp: true, "
          "extra_options: {AutoMixprecision: {TargetQuantType: QInt8, NumTarget: 1}}}")),
      "mixed precision needs a target type of another width than activation_type and weight_type");
  EXPECT_EQ(
      contradiction(settings_of_yaml("{include_auto_mp: true, extra_options: {AutoMixprecision: "
                                     "{L2Target: 1, MetricOptimizeObject: quality}}}")),
      "MetricOptimizeObject quality needs NumTarget, MaxShare or MaxBytes");
}

TEST(Settings, ChosenFormatsReplaceTheSearchForThem) {
  const Settings settings =
      with_node_formats(settings_of_yaml("U8S8_MIXED_U16S16"),
                        {{"a", {.activation = DataType::uint16}}, {"b", {.keep_float = true}}});
  const QuantizationConfig config =
      resolve(settings_from(parse_yaml(to_yaml(to_value(settings)), "test")));
  EXPECT_FALSE(config.precision.has_value());
  EXPECT_EQ(config.quantize.node_formats.at("a"), (NodeFormat{.activation = DataType::uint16}));
  EXPECT_TRUE(config.quantize.node_formats.at("b").keep_float);
}

TEST(Settings, QuarksOtherNamesMeanTheSameOption) {
  const Settings settings =
      settings_of_yaml("extra_options: {InputNodes: [a], OpTypesToQuantize: [Conv]}");
  EXPECT_EQ(settings.at("input_nodes"), Value(Value::List{"a"}));
  EXPECT_EQ(settings.at("op_types_to_quantize"), Value(Value::List{"Conv"}));
}

TEST(Settings, PowerOfTwoMinMseSearchesWeightRangesByDefault) {
  EXPECT_EQ(resolve(settings_of_yaml("calibrate_method: MinMSE")).quantize.weight_range,
            WeightRange::mse);
  EXPECT_EQ(
      resolve(settings_of_yaml(
                  "{calibrate_method: MinMSE, extra_options: {WeightCalibrateMethod: MinMax}}"))
          .quantize.weight_range,
      WeightRange::min_max);
  EXPECT_EQ(resolve(settings_of_yaml("calibrate_method: NonOverflow")).quantize.weight_range,
            WeightRange::min_max);
}

TEST(Settings, AnUnknownKeyNamesTheNearest) {
  EXPECT_EQ(message_of([] { (void)settings_of_yaml("activation_typ: QInt8"); }),
            "configuration: unknown key 'activation_typ'; nearest known: 'activation_type'");
}

TEST(Settings, AnUnknownValueNamesTheKeyAndTheNearest) {
  EXPECT_EQ(message_of([] { (void)settings_of_yaml("activation_type: QInt9"); }),
            "configuration: 'activation_type': unknown value 'QInt9'; nearest known: 'QInt8', "
            "'QUInt8', 'QInt16'");
}

TEST(Settings, EqualizationIsOffByDefaultAndReadsItsOptionsOnlyWhenOn) {
  for (const PresetInfo& preset : all_presets()) {
    if (preset.refused) continue;
    EXPECT_FALSE(resolve(preset.settings).equalize.has_value()) << preset.name;
  }
  EXPECT_FALSE(resolve(settings_of_yaml("{extra_options: {CLESteps: 3}}")).equalize.has_value());
  EXPECT_EQ(resolve(settings_of_yaml("include_cle: true")).equalize, EqualizeOptions{});
  const auto all = resolve(settings_of_yaml(
      "{include_cle: true, extra_options: {CLESteps: -1, CLEBalanceMethod: max, "
      "CLEWeightThreshold: 0.25, CLEScaleAppendBias: false, CLETotalLayerDiffThreshold: 2e-7, "
      "ReplaceClip6Relu: true}}"));
  EXPECT_EQ(all.equalize, (EqualizeOptions{.steps = std::nullopt,
                                           .weight_threshold = 0.25,
                                           .use_threshold = true,
                                           .append_bias = false,
                                           .total_difference = 2e-7,
                                           .replace_clip6 = true}));
  const auto absorbs = [](const std::string& how) {
    return resolve(settings_of_yaml(
                       "{include_cle: true, extra_options: {CLEBiasAbsorption: " + how + "}}"))
        .equalize->bias_absorption;
  };
  EXPECT_EQ(absorbs("none"), BiasAbsorption::none);
  EXPECT_EQ(absorbs("minimum"), BiasAbsorption::minimum);
  EXPECT_EQ(absorbs("three_sigma"), BiasAbsorption::three_sigma);
  EXPECT_FALSE(has_effect("extra_options.CLESteps", {{"include_cle", false}}));
  EXPECT_FALSE(has_effect("extra_options.CLEWeightThreshold",
                          {{"include_cle", true}, {"extra_options.CLEScaleUseThreshold", false}}));
  EXPECT_FALSE(has_effect("extra_options.CLETotalLayerDiffThreshold", {{"include_cle", true}}));
}

TEST(Settings, EqualizationRefusesUnknownValues) {
  EXPECT_EQ(
      message_of([] { (void)settings_of_yaml("{extra_options: {CLEBalanceMethod: range}}"); }),
      "configuration: 'extra_options.CLEBalanceMethod': unknown value 'range'; known: 'max'");
  EXPECT_EQ(message_of([] { (void)settings_of_yaml("{extra_options: {CLESteps: 0}}"); }),
            "configuration: 'extra_options.CLESteps': got 0, expected an integer in [1, 10000], or "
            "-1 for as many as it takes");
}

TEST(Settings, SmoothingIsOffByDefaultAndUsesTheGranularityOfWeights) {
  EXPECT_FALSE(resolve(settings_of_yaml("{extra_options: {SmoothAlpha: 0.7}}")).smooth.has_value());
  EXPECT_EQ(resolve(settings_of_yaml("include_sq: true")).smooth, SmoothOptions{});
  EXPECT_EQ(
      resolve(settings_of_yaml(
                  "{include_sq: true, per_channel: true, extra_options: {SmoothAlpha: auto}}"))
          .smooth,
      (SmoothOptions{.alpha = std::nullopt, .per_channel_weights = true}));
  EXPECT_EQ(resolve(settings_of_yaml("{include_sq: true, extra_options: {SmoothAlpha: 1}}")).smooth,
            SmoothOptions{.alpha = 1});
  EXPECT_FALSE(has_effect("extra_options.SmoothAlpha", {{"include_sq", false}}));
}

TEST(Settings, TypesThatAreNotIntegersAreRefusedByName) {
  EXPECT_EQ(message_of([] { (void)settings_of_yaml("activation_type: QBFloat16"); }),
            "configuration: 'activation_type': 'QBFloat16' is not an integer type; only integer "
            "types are built");
}

TEST(Settings, DistributionIsRefusedWithAnEquivalentMethod) {
  EXPECT_EQ(message_of([] { (void)settings_of_yaml("calibrate_method: Distribution"); }),
            "configuration: 'calibrate_method': 'Distribution' is symmetric min-max for integer "
            "types: use "
            "CalibrationMethod.MinMax with ActivationSymmetric true");
}

TEST(Settings, PresetsThatAreNotBuiltSayWhy) {
  EXPECT_EQ(message_of([] { (void)settings_from(Value("BF16")); }),
            "configuration: preset 'BF16' is refused: its types are not integers; only integer "
            "types are built");
}

TEST(Settings, OptionsHaveAnEffectOnlyUnderTheMethodThatReadsThem) {
  EXPECT_TRUE(has_effect("extra_options.Percentile",
                         {{"calibrate_method", "CalibrationMethod.Percentile"}}));
  EXPECT_FALSE(
      has_effect("extra_options.Percentile", {{"calibrate_method", "CalibrationMethod.MinMax"}}));
  EXPECT_FALSE(has_effect("extra_options.CalibMovingAverageConstant",
                          {{"calibrate_method", "CalibrationMethod.MinMax"}}));
  EXPECT_TRUE(has_effect("extra_options.CalibMovingAverageConstant",
                         {{"calibrate_method", "CalibrationMethod.MinMax"},
                          {"extra_options.CalibMovingAverage", true}}));
}

TEST(Settings, UnderGptqBiasCorrectionHasNoEffectBecauseItChoosesBiasesItself) {
  const auto has_effect_under = [](const std::string& rest) {
    return has_effect("extra_options.BiasCorrection", settings_of_yaml("{" + rest + "}"));
  };
  EXPECT_TRUE(has_effect_under("include_fast_ft: false"));
  EXPECT_TRUE(has_effect_under(
      "include_fast_ft: true, extra_options: {FastFinetune: {OptimAlgorithm: adaround}}"));
  EXPECT_FALSE(has_effect_under(
      "include_fast_ft: true, extra_options: {FastFinetune: {OptimAlgorithm: gptq}}"));
}

TEST(Settings, ContradictionsAreNamed) {
  EXPECT_EQ(contradiction({{"calibrate_method", "PowerOfTwoMethod.MinMSE"}, {"per_channel", true}}),
            "power-of-two methods need per-tensor weights (per_channel: false)");
  EXPECT_EQ(
      contradiction({{"calibrate_method", "CalibrationMethod.MinMax"}, {"per_channel", true}}),
      std::nullopt);
}

TEST(Settings, WrittenSettingsReadBackTheSame) {
  for (const PresetInfo& preset : all_presets()) {
    if (preset.refused) continue;
    const Settings again = settings_from(to_value(preset.settings));
    for (const auto& [name, value] : preset.settings)
      EXPECT_EQ(again.at(name), value) << preset.name << " " << name;
    EXPECT_EQ(again.size(), preset.settings.size()) << preset.name;
  }
}

TEST(Settings, EveryBuiltPresetResolves) {
  for (const PresetInfo& preset : all_presets()) {
    if (preset.refused) continue;
    EXPECT_NO_THROW((void)resolve(preset.settings)) << preset.name;
  }
}

TEST(Settings, EveryDefaultIsInItsOwnCanonicalForm) {
  for (const OptionInfo& option : all_options()) {
    EXPECT_EQ(canonical_value(option.name, option.default_value), option.default_value)
        << option.name;
    EXPECT_FALSE(option.meaning.empty()) << option.name;
  }
}

TEST(Settings, BiasesHaveExactlyOneForm) {
  EXPECT_EQ(resolve(settings_of_yaml("extra_options: {Int16Bias: true}")).quantize.bias_type,
            BiasType::int16);
  EXPECT_EQ(resolve(settings_of_yaml("extra_options: {Int32Bias: false}")).quantize.bias_type,
            BiasType::like_weight);
  EXPECT_EQ(contradiction(settings_of_yaml("extra_options: {Int32Bias: false, Int16Bias: true}")),
            "Int16Bias narrows int32 biases, so it needs Int32Bias");
  EXPECT_FALSE(has_effect("extra_options.Int16Bias",
                          settings_of_yaml("extra_options: {QuantizeBias: false}")));
}

TEST(Settings, Int16ScaleHasNoMeaningForPowersOfTwo) {
  EXPECT_TRUE(has_effect("extra_options.Int16Scale", settings_of_yaml("calibrate_method: MinMax")));
  EXPECT_FALSE(
      has_effect("extra_options.Int16Scale", settings_of_yaml("calibrate_method: MinMSE")));
}

TEST(Settings, TheNpuTargetSetsDefaultsThatOptionsOverride) {
  const QuantizationConfig config = resolve(settings_of_yaml("preset: XINT8"));
  EXPECT_TRUE(config.quantize.npu.enabled);
  EXPECT_TRUE(config.quantize.align.concat);
  EXPECT_EQ(config.quantize.bias_type, BiasType::like_weight);
  const QuantizationConfig other =
      resolve(settings_of_yaml("{preset: XINT8, extra_options: {AlignConcat: false, Int32Bias: "
                               "true, AdjustShiftCut: false}}"));
  EXPECT_FALSE(other.quantize.align.concat);
  EXPECT_TRUE(other.quantize.align.pool);
  EXPECT_FALSE(other.quantize.npu.shift_cut);
  EXPECT_EQ(other.quantize.bias_type, BiasType::int32);
}

TEST(Settings, TheDpuIsSimulatedByDefaultAndSigmoidStays) {
  const DpuOptions usual = resolve(settings_of_yaml("preset: XINT8")).simplify.dpu;
  EXPECT_EQ(
      usual,
      (DpuOptions{
          .leaky_relu = true, .hard_sigmoid = true, .average_pool = true, .reduce_mean = true}));
  EXPECT_EQ(resolve(settings_of_yaml("{preset: XINT8, extra_options: {SimulateDPU: false}}"))
                .simplify.dpu,
            DpuOptions{});
  EXPECT_EQ(
      resolve(settings_of_yaml("{extra_options: {ConvertAvgPoolToDPUVersion: true}}")).simplify.dpu,
      DpuOptions{.average_pool = true});
  EXPECT_TRUE(resolve(settings_of_yaml(
                          "{preset: XINT8, extra_options: {ConvertSigmoidToHardSigmoid: true}}"))
                  .simplify.dpu.sigmoid_to_hard_sigmoid);
}

TEST(Settings, TheNpuTargetNeedsPowersOfTwoAndSymmetry) {
  EXPECT_EQ(contradiction(settings_of_yaml("{preset: XINT8, calibrate_method: MinMax}")),
            "enable_npu_cnn needs a power-of-two method");
  EXPECT_EQ(contradiction(
                settings_of_yaml("{preset: XINT8, extra_options: {ActivationSymmetric: false}}")),
            "enable_npu_cnn needs symmetric activations and weights");
  EXPECT_EQ(contradiction(settings_of_yaml("{preset: XINT8, weight_type: QInt16}")),
            "enable_npu_cnn needs weight_type QInt8");
}

TEST(Settings, LimitsOfTheNpuHaveNoEffectElsewhere) {
  EXPECT_FALSE(
      has_effect("extra_options.AdjustShiftCut", settings_of_yaml("calibrate_method: MinMSE")));
  EXPECT_FALSE(
      has_effect("extra_options.AdjustShiftCut",
                 settings_of_yaml("{preset: XINT8, extra_options: {NPULimitationCheck: false}}")));
  EXPECT_TRUE(has_effect("extra_options.MaxLoopNum",
                         settings_of_yaml("extra_options: {AlignConcat: true}")));
  EXPECT_FALSE(
      has_effect("extra_options.MaxLoopNum", settings_of_yaml("calibrate_method: MinMSE")));
}

std::string override_refusal(const std::string& entries) {
  return message_of([&] {
    (void)settings_of_yaml("extra_options: {TensorQuantOverrides: {x: " + entries + "}}");
  });
}

TEST(Settings, OverridesOfTensorsReachQuantizeAndRanges) {
  const QuantizationConfig config = resolve(settings_of_yaml(
      "extra_options: {TensorQuantOverrides: {x: [{quant_type: QuantType.QInt16, symmetric: "
      "true}], "
      "w: [{axis: 0, scale: 0.5, zero_point: 1}, {scale: 0.25, zero_point: 0}], y: {rmin: -1}}}"));
  ASSERT_EQ(config.quantize.overrides.size(), 3U);
  EXPECT_EQ(config.quantize.overrides.at("x").type, DataType::int16);
  EXPECT_EQ(config.quantize.overrides.at("x").symmetric, true);
  EXPECT_EQ(config.quantize.overrides.at("w").axis, 0);
  EXPECT_EQ(config.quantize.overrides.at("w").values[1].params,
            (ScaleZeroPoint{.scale = 0.25F, .zero_point = 0}));
  EXPECT_EQ(config.quantize.overrides.at("y").values[0].low, -1);
  ASSERT_EQ(config.ranges.tensors.size(), 1U);
  EXPECT_EQ(config.ranges.tensors.at("x").type, DataType::int16);
}

TEST(Settings, OverridesHaveOneCanonicalForm) {
  EXPECT_EQ(settings_of_yaml(
                "extra_options: {TensorQuantOverrides: {x: {quant_type: Int8, rmin: 0, rmax: 1}}}"),
            settings_of_yaml("extra_options: {TensorQuantOverrides: {x: [{rmax: 1.0, rmin: 0.0, "
                             "quant_type: QInt8}]}}"));
}

TEST(Settings, InvalidOverridesNameTensorAndKey) {
  const std::string stage = "configuration: 'extra_options.TensorQuantOverrides': tensor 'x': ";
  EXPECT_EQ(override_refusal("[{scal: 1}]"), stage + "unknown key 'scal'; nearest known: 'scale'");
  EXPECT_EQ(
      override_refusal("[{quant_type: QFloat16}]"),
      stage + "key 'quant_type': 'QFloat16' is not an integer type; only integer types are built");
  EXPECT_EQ(override_refusal("[{scale: 1}]"),
            stage + "key 'scale' is given without 'zero_point', expected both or neither");
  EXPECT_EQ(override_refusal("[{scale: 1, zero_point: 0, rmin: 0}]"),
            stage + "key 'rmin' has no effect beside 'scale' and 'zero_point'; leave it out");
  EXPECT_EQ(
      override_refusal("[{axis: 0}, {symmetric: true}]"),
      stage +
          "key 'symmetric' differs between the channels, expected one value in the first entry");
  EXPECT_EQ(override_refusal("[]"), stage + "got an empty list, expected at least one entry");
  EXPECT_EQ(override_refusal("[{convert: {}}]"),
            stage +
                "key 'convert' is refused: a tensor read in two types gets a pair for each; give "
                "the nodes their types "
                "with mixed precision");
}

}  // namespace
}  // namespace quantsearch
