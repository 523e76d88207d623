// Tests TensorQuantOverrides on a 1x1 Conv whose numbers can be checked by hand, and on the
// operators around a Conv.

#include "quantize/numbers/overrides.h"

#include <gtest/gtest.h>

#include "quantize/fixture.h"
#include "support/messages.h"

namespace quantsearch {
namespace {

using testing::build_with_output;
using testing::count_of;
using testing::ModelBuilder;
using testing::quantized;
using testing::reason_of;
using testing::steps_apart;
using testing::tiny_conv;

QuantizedModel tiny_overridden(const std::map<std::string, TensorOverride>& overrides,
                               bool per_channel = false) {
  ThreadPool pool(1);
  QuantizeOptions options{.target = Target::cpu_vnni};  // no integers are moved for safe pairs
  options.overrides = overrides;
  options.per_channel = per_channel;
  return quantize(tiny_conv(), testing::kTinyRanges, options, pool);
}

std::string refusal_of(const std::map<std::string, TensorOverride>& overrides) {
  return message_of([&] { (void)tiny_overridden(overrides); });
}

TensorOverride with_type(DataType type) {
  TensorOverride wanted;
  wanted.type = type;
  return wanted;
}

TensorOverride with_params(float scale, std::int64_t zero_point) {
  TensorOverride wanted;
  wanted.values.push_back(
      {.params = ScaleZeroPoint{.scale = scale, .zero_point = zero_point}, .low = {}, .high = {}});
  return wanted;
}

TensorOverride with_range(std::optional<double> low, std::optional<double> high) {
  TensorOverride wanted;
  wanted.values.push_back({.params = {}, .low = low, .high = high});
  return wanted;
}

TEST(Overrides, AnActivationTakesTheGivenScaleAndZeroPoint) {
  const QuantizedModel result = tiny_overridden({{"x", with_params(0.25F, 7)}});
  EXPECT_EQ(result.tensors.at("x").scales[0], 0.25F);
  EXPECT_EQ(result.tensors.at("x").zero_points[0], 7);
  EXPECT_FLOAT_EQ(result.tensors.at("conv_out").scales[0], 0.02F);
  // The bias follows: 0.25 * 0.01.
  EXPECT_FLOAT_EQ(result.tensors.at("b").scales[0], 0.0025F);
  EXPECT_EQ(*result.model.graph.find_initializer("b_quantized"),
            Tensor::of<std::int32_t>({2}, {120, -40}));
}

TEST(Overrides, OneEndOfARangeLeavesTheOtherAsObserved) {
  const QuantizedModel result = tiny_overridden({{"x", with_range(std::nullopt, 4.1)}});
  EXPECT_FLOAT_EQ(result.tensors.at("x").scales[0], 0.02F);  // (4.1 - -1) / 255
  EXPECT_EQ(result.tensors.at("x").zero_points[0], 50);
}

TEST(Overrides, AnActivationCanBeSymmetricOnItsOwn) {
  TensorOverride wanted = with_type(DataType::int8);
  wanted.symmetric = true;
  const QuantizedModel result = tiny_overridden({{"x", wanted}});
  EXPECT_EQ(result.tensors.at("x").type, DataType::int8);
  EXPECT_FLOAT_EQ(result.tensors.at("x").scales[0], 1.55F / 127);
  EXPECT_EQ(result.tensors.at("x").zero_points[0], 0);
  EXPECT_EQ(result.tensors.at("conv_out").type, DataType::uint8);
}

TEST(Overrides, AnActivationOfAnotherWidthRunsInFloat) {
  const QuantizedModel result = tiny_overridden({{"x", with_type(DataType::uint16)}});
  EXPECT_EQ(result.tensors.at("x").type, DataType::uint16);
  EXPECT_FLOAT_EQ(result.tensors.at("x").scales[0], 2.55F / 65535);
  EXPECT_EQ(reason_of(result.layers, "conv"),
            "its tensor 'x' is uint16 as requested, which ONNX Runtime runs in float");
  EXPECT_LE(steps_apart(result), 1.01);
}

TEST(Overrides, ReduceRangeHalvesTheIntegersOfAnActivation) {
  TensorOverride wanted;
  wanted.reduce_range = true;
  const QuantizedModel result = tiny_overridden({{"x", wanted}});
  EXPECT_FLOAT_EQ(result.tensors.at("x").scales[0], 2.55F / 127);
}

TEST(Overrides, AWeightTakesTypeScaleAndZeroPoint) {
  TensorOverride wanted = with_params(0.02F, 3);
  wanted.type = DataType::uint8;
  const QuantizedModel result = tiny_overridden({{"w", wanted}});
  // 1.27 / 0.02 = 63.5 -> 64, -25, 10, 31.75 -> 32; each plus 3, below 0 clipped.
  EXPECT_EQ(*result.model.graph.find_initializer("w_quantized"),
            Tensor::of<std::uint8_t>({2, 2, 1, 1}, {67, 0, 13, 35}));
}

TEST(Overrides, AWeightRangeClipsValuesOutsideIt) {
  const QuantizedModel result = tiny_overridden({{"w", with_range(-0.635, 0.635)}});
  EXPECT_FLOAT_EQ(result.tensors.at("w").scales[0], 0.005F);
  EXPECT_EQ(*result.model.graph.find_initializer("w_quantized"),
            Tensor::of<std::int8_t>({2, 2, 1, 1}, {127, -100, 40, 127}));
}

TEST(Overrides, AWeightCanHaveOneScalePerChannel) {
  TensorOverride wanted;
  wanted.axis = 0;
  wanted.values = {
      {.params = ScaleZeroPoint{.scale = 0.01F, .zero_point = 0}, .low = {}, .high = {}},
      {.params = ScaleZeroPoint{.scale = 0.1F, .zero_point = 0}, .low = {}, .high = {}}};
  const QuantizedModel result = tiny_overridden({{"w", wanted}});
  EXPECT_EQ(result.tensors.at("w").axis, 0);
  EXPECT_EQ(*result.model.graph.find_initializer("w_quantized"),
            Tensor::of<std::int8_t>({2, 2, 1, 1}, {127, -50, 2, 6}));
  EXPECT_FLOAT_EQ(result.tensors.at("b").scales[1], 0.001F);
  EXPECT_LE(steps_apart(result), 1.01);
}

TEST(Overrides, AnEntryWithoutAxisMakesAWeightPerTensor) {
  const QuantizedModel result = tiny_overridden({{"w", with_type(DataType::int8)}}, true);
  EXPECT_EQ(result.tensors.at("w").axis, -1);
  TensorOverride channels = with_type(DataType::int8);
  channels.axis = 0;
  EXPECT_EQ(tiny_overridden({{"w", channels}}, false).tensors.at("w").axis, 0);
}

TEST(Overrides, ABiasWithAScaleOfItsOwnRunsInFloat) {
  TensorOverride wanted = with_params(0.01F, 0);
  wanted.type = DataType::int8;
  const QuantizedModel result = tiny_overridden({{"b", wanted}});
  EXPECT_EQ(*result.model.graph.find_initializer("b_quantized"),
            Tensor::of<std::int8_t>({2}, {30, -10}));
  EXPECT_EQ(
      reason_of(result.layers, "conv"),
      "its bias 'b' is int8 with a scale of its own, which ONNX Runtime's CPU provider computes "
      "in float");
  EXPECT_EQ(testing::fused_operators(result.model)["QLinearConv"], 0);
  EXPECT_LE(steps_apart(result), 1.01);
}

TEST(Overrides, ABiasOfAnotherTypeGetsItsOwnRange) {
  const QuantizedModel result = tiny_overridden({{"b", with_type(DataType::int16)}});
  EXPECT_FLOAT_EQ(result.tensors.at("b").scales[0], 0.3F / 32767);
  EXPECT_EQ(result.model.graph.find_initializer("b_quantized")->values<std::int16_t>()[0], 32767);
  EXPECT_LE(steps_apart(result), 1.01);
}

TEST(Overrides, AnInt32BiasWithoutValuesIsTheDefault) {
  EXPECT_EQ(tiny_overridden({{"b", with_type(DataType::int32)}}).model, tiny_overridden({}).model);
}

TEST(Overrides, AConstantOperandTakesScaleAndZeroPoint) {
  ModelBuilder builder;
  builder.random_weight("w", {2, 2, 1, 1}, 1, 1);
  builder.weight("shift", {1, 2, 1, 1}, {0.5F, -0.25F});
  const std::string conv = builder.node("Conv", {builder.input("x", {1, 2, 3, 3}), "w"});
  const Model model = build_with_output(builder, builder.node("Add", {conv, "shift"}, {}, "add"));
  QuantizeOptions options;
  options.overrides = {{"shift", with_params(0.25F, 128)}};
  const QuantizedModel result = quantized(model, options);
  EXPECT_EQ(*result.model.graph.find_initializer("shift_quantized"),
            Tensor::of<std::uint8_t>({1, 2, 1, 1}, {130, 127}));
}

/// Conv -> Relu -> Reshape.
Model conv_relu_reshape() {
  ModelBuilder builder;
  builder.random_weight("w", {2, 2, 1, 1}, 1, 1);
  const std::string conv =
      builder.node("Conv", {builder.input("x", {1, 2, 3, 3}), "w"}, {}, "conv");
  const std::string relu = builder.node("Relu", {conv}, {}, "relu");
  builder.constant("shape", Tensor::of<std::int64_t>({2}, {1, 18}));
  return build_with_output(builder, builder.node("Reshape", {relu, "shape"}, {}, "reshape"));
}

TEST(Overrides, DataMovementFollowsItsInput) {
  QuantizeOptions options;
  options.overrides = {{"relu_out", with_params(0.5F, 0)}};
  const QuantizedModel result = quantized(conv_relu_reshape(), options);
  EXPECT_EQ(result.tensors.at("relu_out").scales[0], 0.5F);
  EXPECT_EQ(result.tensors.at("reshape_out").scales[0], 0.5F);
  EXPECT_EQ(testing::fused_operators(result.model)["Reshape"], 1);
}

TEST(Overrides, AnOutputOfDataMovementCanDifferFromItsInput) {
  QuantizeOptions options;
  options.overrides = {{"reshape_out", with_params(0.5F, 0)}};
  const QuantizedModel result = quantized(conv_relu_reshape(), options);
  EXPECT_NE(result.tensors.at("relu_out").scales[0], 0.5F);
  EXPECT_EQ(result.tensors.at("reshape_out").scales[0], 0.5F);
  EXPECT_EQ(reason_of(result.layers, "reshape"),
            "its output 'reshape_out' has parameters of its own as requested, so it runs in float");
  EXPECT_LE(steps_apart(result), 1.01);
}

TEST(Overrides, ARangeChosenForTheTensorItselfIsPreferred) {
  ThreadPool pool(1);
  QuantizeOptions options;
  options.overrides = {{"conv_out", with_type(DataType::uint16)}};
  // `x` and `conv_out` are their own sources. The entry of conv_out stands for a range that
  // choose_ranges() chose for 16 bits.
  const QuantizedModel result =
      quantize(tiny_conv(), {{"x", {-1, 1.55}}, {"conv_out", {-4, 4}}}, options, pool);
  EXPECT_FLOAT_EQ(result.tensors.at("conv_out").scales[0], 8.0F / 65535);
}

TEST(Overrides, TheMessageForTheInputOfAClampNamesItsOutput) {
  QuantizeOptions options;
  options.overrides = {{"conv_out", with_params(0.5F, 0)}};
  EXPECT_EQ(
      message_of([&] { (void)quantized(conv_relu_reshape(), options); }),
      "quantize: TensorQuantOverrides names tensor 'conv_out', which shares the parameters of "
      "what Relu 'relu' bounds it to; expected tensor 'relu_out'");
}

TEST(Overrides, TheMessageForAnUnknownTensorNamesTheNearest) {
  EXPECT_EQ(refusal_of({{"conv_ou", with_type(DataType::int8)}}),
            "quantize: TensorQuantOverrides: unknown tensor 'conv_ou'; nearest known: 'conv_out'");
}

TEST(Overrides, ATensorThatIsNotQuantizedIsAnError) {
  ModelBuilder builder;
  builder.random_weight("w", {2, 2, 1, 1}, 1, 1);
  const std::string conv = builder.node("Conv", {builder.input("x", {1, 2, 3, 3}), "w"});
  const std::string tanh = builder.node("Tanh", {conv}, {}, "tanh");
  const Model model = build_with_output(builder, tanh);
  QuantizeOptions options;
  options.overrides = {{"tanh_out", with_type(DataType::int8)}};
  EXPECT_EQ(
      message_of([&] { (void)quantized(model, options); }),
      "quantize: TensorQuantOverrides names tensor 'tanh_out', which is not quantized; leave it "
      "out, or quantize the nodes that read and write it");
}

TEST(Overrides, MessagesNameTensorAndKey) {
  TensorOverride axis;
  axis.axis = 1;
  EXPECT_EQ(
      refusal_of({{"x", axis}}),
      "quantize: TensorQuantOverrides of 'x': key 'axis' is given, but only weights and biases "
      "have a scale per channel; leave it out");
  EXPECT_EQ(refusal_of({{"w", axis}}),
            "quantize: TensorQuantOverrides of 'w': key 'axis' is 1, expected 0, the axis of the "
            "output channels");
  axis.axis = 0;
  axis.values.resize(3);
  EXPECT_EQ(
      refusal_of({{"w", axis}}),
      "quantize: TensorQuantOverrides of 'w': 3 entries, expected one, or one for each of the 2 "
      "channels");
  axis.axis = std::nullopt;
  EXPECT_EQ(
      refusal_of({{"w", axis}}),
      "quantize: TensorQuantOverrides of 'w': 3 entries without key 'axis', expected one entry, "
      "or the axis of the channels");
  EXPECT_EQ(refusal_of({{"w", with_type(DataType::int32)}}),
            "quantize: TensorQuantOverrides of 'w': key 'quant_type' is QInt32, expected QInt8, "
            "QUInt8, QInt16 or QUInt16; only biases can have 32 bits");
  EXPECT_EQ(
      refusal_of({{"x", with_params(0.1F, 256)}}),
      "quantize: TensorQuantOverrides of 'x': key 'zero_point' is 256, expected 0 to 255, the "
      "integers of uint8");
  EXPECT_EQ(refusal_of({{"x", with_params(0, 0)}}),
            "quantize: TensorQuantOverrides of 'x': key 'scale' is 0, expected a positive normal "
            "float32");
  EXPECT_EQ(
      refusal_of({{"x", with_range(2, 1)}}),
      "quantize: TensorQuantOverrides of 'x': key 'rmin' is 2, expected at most 'rmax', which "
      "is 1");
}

TEST(Overrides, AWeightScaleThatOverflowsTheBiasIsAnError) {
  EXPECT_EQ(
      refusal_of({{"w", with_params(1e-9F, 0)}}),
      "quantize: TensorQuantOverrides of 'w': its scale is 13.97 times too small for the int32 "
      "bias 'b', which would overflow; give a larger one, or override the bias too");
}

}  // namespace
}  // namespace quantsearch
