// Tests how the formats are adapted to the finished model, which is a reconstructed one in a
// search.

#include <gtest/gtest.h>

#include "precision/setting.h"
#include "quantsearch/base/error.h"
#include "quantsearch/precision.h"

namespace quantsearch {
namespace {

using testing::kSixteen;
using testing::kSixteenActivations;

class FinishPrecision : public ::testing::Test {
 protected:
  static std::shared_ptr<const QuantizedModel> as_it_is(const QuantizedModel& made) {
    return std::make_shared<const QuantizedModel>(made);
  }

  /// A substitute for a reconstruction that removes the noise of the weights: all get 16 bits.
  std::shared_ptr<const QuantizedModel> without_noise_of_weights(const PrecisionResult& chosen) {
    std::map<std::string, NodeFormat> formats = chosen.node_formats;
    for (const char* layer : {"first", "hard", "last"}) formats[layer].weight = DataType::int16;
    return std::make_shared<const QuantizedModel>(
        quantize(model_, calibration_, {.node_formats = formats}, pool_));
  }

  PrecisionResult choose(const PrecisionOptions& options) {
    return choose_precision(model_, calibration_, {}, testing::twelve_samples(), options, context_);
  }

  PrecisionResult finish(const PrecisionOptions& options, const FinishModel& with) {
    return finish_precision(model_, calibration_, {}, testing::twelve_samples(), options,
                            choose(options), with, context_);
  }

  ThreadPool pool_{1};
  ByteBudget budget_{1 << 24};
  PrecisionContext context_{.pool = pool_, .budget = budget_};
  Model model_ = testing::network_with_a_hard_layer();
  CalibrationResult calibration_ =
      testing::calibration_of(model_, {DataType::uint8, DataType::uint16});
};

constexpr double kTight = 1e-3;  // 8-bit weights of the hard layer exceed it

PrecisionOptions tight() {
  return {.high = {kSixteenActivations, kSixteen},
          .thresholds = {{Metric::rel_l2, kTight}},
          .weights_reconstructed = true};
}

TEST_F(FinishPrecision, FormatsAreChosenAsIfWeightsHadNoNoise) {
  const PrecisionResult chosen = choose(tight());
  EXPECT_EQ(chosen.high_layers, 0);
  EXPECT_LE(chosen.scores.at("rel_l2"), kTight);
  PrecisionOptions plain = tight();
  plain.weights_reconstructed = false;
  EXPECT_EQ(choose(plain).high_layers, 1);
  // The model itself has the 8-bit weights, which will be reconstructed.
  EXPECT_EQ(chosen.quantized.model, quantize(model_, calibration_, {}, pool_).model);
}

TEST_F(FinishPrecision, FormatsThatDifferOnlyInTheirWeightsAreRunOnce) {
  PrecisionOptions options = tight();
  const int models = choose(options).evaluations;
  options.high = {testing::kSixteenWeights, kSixteenActivations, kSixteen};
  const PrecisionResult chosen = choose(options);
  EXPECT_EQ(chosen.evaluations, models);
  EXPECT_EQ(chosen.high_layers, 0);
}

TEST_F(FinishPrecision, NothingChangesWhenTheFinishedModelMeetsTheLimits) {
  const PrecisionResult chosen = choose(tight());
  int models = 0;
  const PrecisionResult finished = finish(tight(), [&](const QuantizedModel&) {
    ++models;
    return without_noise_of_weights(chosen);
  });
  EXPECT_EQ(models, 1);
  EXPECT_EQ(finished.layers, chosen.layers);
  EXPECT_EQ(finished.node_formats, chosen.node_formats);
}

TEST_F(FinishPrecision, LayersGetHigherFormatsWhenReconstructionDoesNotHelp) {
  const PrecisionResult finished = finish(tight(), as_it_is);
  EXPECT_EQ(finished.high_layers, 1);
  EXPECT_TRUE(finished.layers[1].is_high);
  EXPECT_EQ(finished.layers[1].format, kSixteen);
  EXPECT_NE(finished.layers[1].reason.find("once the weights are reconstructed"),
            std::string::npos);
  EXPECT_LE(finished.scores.at("rel_l2"), kTight);
  const QuantizedModel again =
      quantize(model_, calibration_, {.node_formats = finished.node_formats}, pool_);
  EXPECT_EQ(again.model, finished.quantized.model);
}

TEST_F(FinishPrecision, OnlyWeightsGetMoreBitsWhenAFormatAllowsIt) {
  PrecisionOptions options = tight();
  options.high = {testing::kSixteenWeights, kSixteenActivations, kSixteen};
  const PrecisionResult finished = finish(options, as_it_is);
  EXPECT_EQ(finished.high_layers, 1);
  EXPECT_EQ(finished.layers[1].format, testing::kSixteenWeights);
}

// The remaining noise is that of the weights of the high layer, so no other layer is changed.
TEST_F(FinishPrecision, WeightsOfHighLayersAreUpgradedFirst) {
  PrecisionResult chosen = choose(tight());
  chosen.layers[1].is_high = true;
  chosen.layers[1].format = kSixteenActivations;
  chosen.layers[0].sensitivity = 1e9;
  const PrecisionResult finished = finish_precision(
      model_, calibration_, {}, testing::twelve_samples(), tight(), chosen, as_it_is, context_);
  EXPECT_EQ(finished.high_layers, 1);
  EXPECT_EQ(finished.layers[1].format, kSixteen);
}

TEST_F(FinishPrecision, ABudgetAloneNeedsNoFinishedModel) {
  const PrecisionOptions options{
      .high = {kSixteen}, .max_high_layers = 1, .weights_reconstructed = true};
  const FinishModel never = [](const QuantizedModel&) -> std::shared_ptr<const QuantizedModel> {
    throw InternalError("not to be called");
  };
  EXPECT_EQ(finish(options, never).high_layers, choose(options).high_layers);
}

TEST_F(FinishPrecision, LimitsThatNoFormatMeetsAreAnError) {
  PrecisionOptions options = tight();
  options.high = {kSixteenActivations};  // 8-bit weights in every format
  try {
    (void)finish(options, as_it_is);
    FAIL() << "no error";
  } catch (const InvalidInput& error) {
    EXPECT_NE(std::string(error.what()).find("after reconstruction"), std::string::npos)
        << error.what();
    EXPECT_NE(std::string(error.what()).find("rel_l2"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace quantsearch
