#include "quantize/numbers/activations.h"

#include <gtest/gtest.h>

#include <limits>

#include "support/model_builder.h"

namespace quantsearch {
namespace {

using testing::ModelBuilder;

Model conv_clip(float high) {
  ModelBuilder builder;
  builder.random_weight("w", {2, 3, 1, 1}, 1, 1);
  builder.constant("low", Tensor::scalar(0.0F));
  builder.constant("high", Tensor::scalar(high));
  const std::string conv =
      builder.node("Conv", {builder.input("x", {1, 3, 2, 2}), "w"}, {}, "conv");
  builder.output(builder.node("Clip", {conv, "low", "high"}, {}, "clip"), {1, 2, 2, 2});
  return builder.build();
}

Activations params_of(const Model& model, const Ranges& ranges, const QuantizeOptions& options) {
  const GraphIndex index(model.graph);
  RangesByType by_type;
  for (const DataType type : activation_types(options)) by_type[type] = ranges;
  const Plan plan = make_plan(model, index, options);
  const PlanView view{.graph = model.graph, .index = index, .plan = plan, .options = options};
  Activations activations = own_params(view, by_type);
  settle_params(view, activations);
  return activations;
}

TEST(ActivationParams, AClipEndsExactlyAtItsBoundAndIsFolded) {
  const Activations result = params_of(conv_clip(6), {{"x", {-1, 1}}, {"clip_out", {0, 6}}}, {});
  const TensorParams& clip = result.params.at("clip_out");
  EXPECT_EQ(clip.zero_points[0], 0);
  EXPECT_LE(clip.scales[0] * 255.0F, 6.0F);
  EXPECT_GT(clip.scales[0] * 255.0F, 5.9999F);
  EXPECT_TRUE(result.folded.contains("conv_out"));
  EXPECT_FALSE(result.params.contains("conv_out"));
}

TEST(ActivationParams, NoRangeEndsSlightlyAboveABound) {
  // ONNX Runtime 1.29 cannot load a model whose range ends between the bound and 0.01 above it.
  for (int step = 1; step < 400; ++step) {
    const float high = 0.037F * static_cast<float>(step);
    for (const DataType type : {DataType::uint8, DataType::int8}) {
      for (const bool power_of_two : {false, true}) {
        const Activations result = params_of(
            conv_clip(high), {{"x", {-1, 1}}, {"clip_out", {0, static_cast<double>(high)}}},
            {.activation_type = type, .power_of_two = power_of_two});
        const float end = result.params.at("clip_out").scales[0] * 255.0F;
        EXPECT_TRUE(end <= high || end > high + 0.011F) << high << " " << end;
      }
    }
  }
}

TEST(ActivationParams, SymmetricRangesOfAClampAreLimitedToItsBounds) {
  const Activations result = params_of(conv_clip(6), {{"x", {-1, 1}}, {"clip_out", {-8, 8}}}, {});
  EXPECT_EQ(result.params.at("clip_out").zero_points[0], 0);
  EXPECT_LE(result.params.at("clip_out").scales[0] * 255.0F, 6.0F);
}

TEST(ActivationParams, SymmetricActivationsKeepAPairWithEqualParametersBeforeTheClamp) {
  const Activations result = params_of(conv_clip(6), {{"x", {-1, 1}}, {"clip_out", {0, 6}}},
                                       {.activation_symmetric = true});
  EXPECT_TRUE(result.folded.empty());
  EXPECT_EQ(result.params.at("conv_out"), result.params.at("clip_out"));
  EXPECT_EQ(result.params.at("clip_out").zero_points[0], 128);
}

TEST(ActivationParams, TheMessageForAMissingRangeNamesTheTensor) {
  try {
    (void)params_of(conv_clip(6), {{"x", {-1, 1}}}, {.activation_symmetric = true});
    FAIL();
  } catch (const InvalidInput& error) {
    EXPECT_STREQ(
        error.what(),
        "quantize: tensor 'clip_out' has no range, expected one for every tensor that a node "
        "reads as integers; give calibration data in which it holds values");
  }
}

TEST(ConstantParams, AreUnsignedAtEightBitsAndExactForAScalar) {
  const TensorParams params =
      constant_params(Tensor::scalar(3.0F), DataType::int8, {.activation_type = DataType::int8});
  EXPECT_EQ(params.type, DataType::uint8);
  EXPECT_EQ(params.zero_points[0], 0);
  EXPECT_FLOAT_EQ(params.scales[0] * 255.0F, 3.0F);
  EXPECT_EQ(
      constant_params(Tensor::scalar(3.0F), DataType::int16, {.activation_type = DataType::int16})
          .type,
      DataType::int16);
}

TEST(MakesRedundant, NeedsTheLowestIntegerAtTheLowerBound) {
  const Bounds relu{.low = 0, .high = std::numeric_limits<double>::infinity()};
  EXPECT_TRUE(makes_redundant(
      {.type = DataType::uint8, .scales = {0.1F}, .zero_points = {0}, .axis = -1}, relu));
  EXPECT_TRUE(makes_redundant(
      {.type = DataType::int8, .scales = {0.1F}, .zero_points = {-128}, .axis = -1}, relu));
  EXPECT_FALSE(makes_redundant(
      {.type = DataType::int8, .scales = {0.1F}, .zero_points = {0}, .axis = -1}, relu));
}

}  // namespace
}  // namespace quantsearch
