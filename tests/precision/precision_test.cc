#include "quantsearch/precision.h"

#include <gtest/gtest.h>

#include <cmath>

#include "precision/setting.h"
#include "quantsearch/base/error.h"

namespace quantsearch {
namespace {

using testing::kSixteen;
using testing::kSixteenActivations;
using testing::kSixteenWeights;
using testing::ModelBuilder;

PrecisionResult choose(const PrecisionOptions& options, const QuantizeOptions& quantization = {},
                       int threads = 1) {
  ThreadPool pool(threads);
  const ByteBudget budget(1 << 24);
  const Model model = testing::network_with_a_hard_layer();
  const CalibrationResult calibration =
      testing::calibration_of(model, {DataType::uint8, DataType::uint16});
  return choose_precision(model, calibration, quantization, testing::twelve_samples(), options,
                          {.pool = pool, .budget = budget});
}

std::string error_of(const PrecisionOptions& options) {
  try {
    (void)choose(options);
  } catch (const std::exception& error) {
    return error.what();
  }
  return "no error";
}

std::vector<std::string> high_layers(const PrecisionResult& result) {
  std::vector<std::string> names;
  for (const LayerPrecision& layer : result.layers) {
    if (layer.is_high) names.push_back(layer.node);
  }
  return names;
}

using Names = std::vector<std::string>;

TEST(Precision, PromotesTheOneLayerThatNeedsIt) {
  const PrecisionResult result =
      choose({.high = {kSixteen}, .thresholds = {{Metric::rel_l2, 1e-3}}});
  EXPECT_EQ(high_layers(result), Names{"hard"});
  EXPECT_EQ(result.high_layers, 1);
  EXPECT_LE(result.scores.at("rel_l2"), 1e-3);
  EXPECT_EQ(result.node_formats, (std::map<std::string, NodeFormat>{{"hard", kSixteen}}));
  EXPECT_GT(result.layers[1].sensitivity, 10 * result.layers[0].sensitivity);
}

TEST(Precision, LooseLimitsPromoteNothing) {
  const PrecisionResult result = choose({.high = {kSixteen}, .thresholds = {{Metric::rel_l2, 10}}});
  EXPECT_TRUE(high_layers(result).empty());
  EXPECT_TRUE(result.node_formats.empty());
}

TEST(Precision, TheCheapestSufficientFormatIsChosen) {
  // The noise is in the weight, so 16-bit weights help and 16-bit activations alone do not.
  const PrecisionResult result = choose({.high = {kSixteenActivations, kSixteenWeights, kSixteen},
                                         .thresholds = {{Metric::rel_l2, 1e-3}}});
  EXPECT_EQ(high_layers(result), Names{"hard"});
  EXPECT_EQ(result.layers[1].format, kSixteenWeights);
}

/// Twelve Convs with a Relu between them.
Model long_network() {
  ModelBuilder builder;
  std::string tensor = builder.input("x", {-1, 3, 4, 4});
  for (int layer = 0; layer < 12; ++layer) {
    const std::string name = "conv" + std::to_string(layer);
    const std::string weight =
        builder.random_weight(name + ".w", {3, 3, 1, 1}, 1, static_cast<std::uint64_t>(layer));
    tensor = builder.node("Conv", {tensor, weight}, {}, name);
    if (layer < 11) tensor = builder.node("LeakyRelu", {tensor}, {}, name + "_relu");
  }
  builder.output(tensor, {-1, 3, 4, 4});
  return builder.build();
}

PrecisionResult choose_in_long_network(const PrecisionOptions& options) {
  ThreadPool pool(1);
  const ByteBudget budget(1 << 24);
  const Model model = long_network();
  return choose_precision(model,
                          testing::calibration_of(model, {DataType::uint8, DataType::uint16}), {},
                          testing::twelve_samples(), options, {.pool = pool, .budget = budget});
}

TEST(Precision, PredictionsOfNoiseSaveModelsAndChooseAsFewLayers) {
  PrecisionOptions by_noise{.high = {kSixteen}};
  by_noise.thresholds = {
      {Metric::rel_l2,
       choose_in_long_network(
           {.high = {kSixteen}, .max_high_layers = 6, .goal = PrecisionGoal::best_in_budget})
           .scores.at("rel_l2")}};
  // The same limit in decibels, which is not predicted: groups of halves are tried.
  PrecisionOptions by_decibel = by_noise;
  by_decibel.thresholds = {
      {Metric::sqnr, -10 * std::log10(by_noise.thresholds.at(Metric::rel_l2)) - 1e-6}};
  const PrecisionResult predicted = choose_in_long_network(by_noise);
  const PrecisionResult halved = choose_in_long_network(by_decibel);
  EXPECT_LE(predicted.high_layers, 6);
  EXPECT_EQ(predicted.high_layers, halved.high_layers);
  EXPECT_LT(predicted.evaluations, halved.evaluations);
}

TEST(Precision, AHighBaseFormatIsLoweredWherePossible) {
  const NodeFormat eight{
      .activation = DataType::uint8, .weight = DataType::int8, .keep_float = false};
  const PrecisionResult result =
      choose({.low = eight, .high = {NodeFormat{}}, .thresholds = {{Metric::rel_l2, 1e-3}}},
             {.activation_type = DataType::uint16, .weight_type = DataType::int16});
  EXPECT_EQ(high_layers(result), Names{"hard"});
  EXPECT_EQ(result.node_formats,
            (std::map<std::string, NodeFormat>{{"first", eight}, {"last", eight}}));
}

TEST(Precision, TheFormatsReproduceTheModel) {
  const PrecisionResult result =
      choose({.high = {kSixteen}, .thresholds = {{Metric::rel_l2, 1e-3}}});
  const Model model = testing::network_with_a_hard_layer();
  ThreadPool pool(1);
  const QuantizedModel again =
      quantize(model, testing::calibration_of(model, {DataType::uint8, DataType::uint16}),
               {.node_formats = result.node_formats}, pool);
  EXPECT_EQ(again.model, result.quantized.model);
  check_model(again.model);
}

TEST(Precision, DoesNotDependOnThreads) {
  const PrecisionOptions options{.high = {kSixteenActivations, kSixteen},
                                 .thresholds = {{Metric::rel_l2, 1e-4}}};
  const PrecisionResult one = choose(options, {}, 1);
  const PrecisionResult two = choose(options, {}, 2);
  EXPECT_EQ(one.layers, two.layers);
  EXPECT_EQ(serialize_model(one.quantized.model), serialize_model(two.quantized.model));
}

TEST(Precision, ChangedClassesAreALimit) {
  // No class of the 12 x 12 rows may change, so the hard layer is promoted, and the written model
  // meets the limit.
  const PrecisionResult result = choose({.high = {kSixteen}, .changed_classes = 0.0});
  EXPECT_GE(result.high_layers, 1);
  EXPECT_EQ(result.scores.at("changed_classes"), 0);
  EXPECT_EQ(result.scores.at("changed_rare_classes"), 0);
  EXPECT_TRUE(high_layers(choose({.high = {kSixteen}, .changed_classes = 1.0})).empty());
}

TEST(Precision, WithOnlyABudgetTheMostSensitiveLayerIsPromoted) {
  const PrecisionResult result = choose({.high = {kSixteen}, .max_high_layers = 1});
  EXPECT_EQ(high_layers(result), Names{"hard"});
  EXPECT_TRUE(high_layers(choose({.high = {kSixteen}, .max_high_share = 0.3})).empty());
}

TEST(Precision, AllLimitsHoldTogether) {
  const std::string error =
      error_of({.high = {kSixteen}, .thresholds = {{Metric::rel_l2, 1e-3}}, .max_high_layers = 0});
  EXPECT_EQ(
      error.find(
          "precision: the limits on the outputs need 1 of 3 layers above the low format and "),
      0U)
      << error;
}

TEST(Precision, TheMessageForUnreachableLimitsHasTheReachedValue) {
  const std::string error =
      error_of({.high = {kSixteenActivations}, .thresholds = {{Metric::rel_l2, 1e-3}}});
  EXPECT_EQ(error.find("precision: with all 3 layers in the most precise format rel_l2 is "), 0U)
      << error;
  EXPECT_NE(error.find(", expected at most 0.001; give a more precise format"), std::string::npos);
}

const NodeFormat kFloat{.activation = {}, .weight = {}, .keep_float = true};

TEST(Precision, ALayerMayStayFloat) {
  const PrecisionResult result = choose({.high = {kFloat}, .thresholds = {{Metric::rel_l2, 1e-3}}});
  EXPECT_EQ(result.layers[1].node, "hard");
  EXPECT_EQ(result.layers[1].format, kFloat);
  EXPECT_LE(result.scores.at("rel_l2"), 1e-3);
}

TEST(Precision, AWiderTypeIsPreferredToAFloatLayer) {
  const PrecisionResult result =
      choose({.high = {kSixteen, kFloat}, .thresholds = {{Metric::rel_l2, 1e-3}}});
  EXPECT_EQ(result.layers[1].node, "hard");
  EXPECT_EQ(result.layers[1].format, kSixteen);
}

TEST(Precision, LimitsThatLeaveEveryLayerFloatAreErrors) {
  EXPECT_EQ(error_of({.high = {kFloat}, .thresholds = {{Metric::rel_l2, 0}}}),
            "precision: the limits leave each of the 3 layers float, expected at least one in "
            "integers; give looser limits");
}

TEST(Precision, SelectingAnOutputThatIsNotComparedIsAnError) {
  Model model = testing::network_with_a_hard_layer();
  model.graph.outputs.push_back(model.graph.inputs[0]);
  ThreadPool pool(1);
  const ByteBudget budget(1 << 24);
  const CalibrationResult calibration =
      testing::calibration_of(model, {DataType::uint8, DataType::uint16});
  try {
    (void)choose_precision(model, calibration, {}, testing::twelve_samples(),
                           {.high = {kSixteen}, .thresholds = {{Metric::rel_l2, 1}}, .output = 1},
                           {.pool = pool, .budget = budget});
    FAIL();
  } catch (const InvalidInput& error) {
    EXPECT_STREQ(error.what(),
                 "precision: output index 1 is 'x', which does not depend on what is quantized and "
                 "is not compared, expected the index of another output");
  }
}

TEST(Precision, InvalidOptionsAreErrors) {
  EXPECT_EQ(error_of({.high = {kSixteen}}),
            "precision: no limit is given, so every assignment would do; expected a threshold, a "
            "share of changed classes, or a number or share of layers or a size");
  EXPECT_EQ(error_of({.thresholds = {{Metric::rel_l2, 1}}}),
            "precision: no format above the low one is given, expected at least one");
  EXPECT_EQ(
      error_of({.high = {NodeFormat{}}, .thresholds = {{Metric::rel_l2, 1}}}),
      "precision: the low format and a higher one are the same, expected two formats; set the "
      "target types");
  EXPECT_EQ(
      error_of({.high = {kSixteen},
                .exclude_layers = {"first", "hard", "last"},
                .thresholds = {{Metric::rel_l2, 1}}}),
      "precision: none of the 3 layers is free to choose a format, expected at least one; look "
      "at the operator types, the included and excluded layers and node_formats");
}

}  // namespace
}  // namespace quantsearch
