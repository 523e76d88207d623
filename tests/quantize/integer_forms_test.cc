// Tests the forms of scales and biases that accelerators need: scales M / 2^n, int16 biases, biases
// with a scale of their own, and ranges that pass through operators.

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "quantize/fixture.h"
#include "quantize/numbers/bias.h"

namespace quantsearch {
namespace {

using testing::build_with_output;
using testing::fused_operators;
using testing::ModelBuilder;
using testing::quantized;
using testing::reason_of;
using testing::steps_apart;
using testing::tiny_conv;

QuantizedModel tiny_with(const QuantizeOptions& options, std::int64_t opset = 17) {
  ThreadPool pool(1);
  return quantize(tiny_conv(-100, opset), testing::kTinyRanges, options, pool);
}

/// The M of a scale M / 2^n with an odd M.
double odd_numerator(float scale) {
  double numerator = scale;
  while (numerator != std::floor(numerator)) numerator *= 2;
  while (std::fmod(numerator, 2) == 0) numerator /= 2;
  return numerator;
}

TEST(Int16Scale, EveryScaleIsARatioOfSixteenBits) {
  const QuantizedModel result = tiny_with({.int16_scale = true});
  for (const char* tensor : {"x", "conv_out", "w"}) {
    EXPECT_LE(odd_numerator(result.tensors.at(tensor).scales[0]), 32767) << tensor;
  }
  // 0.01 * 2^21 = 20971.52.
  EXPECT_EQ(result.tensors.at("x").scales[0], 20972.0F / 2097152.0F);
  EXPECT_EQ(result.tensors.at("x").zero_points[0], 100);
  EXPECT_LE(steps_apart(result), 1.01);
}

TEST(Int16Scale, AClipStillEndsAtItsBoundOnARatio) {
  ModelBuilder builder;
  builder.random_weight("w", {2, 3, 1, 1}, 1, 1);
  builder.constant("low", Tensor::scalar(0.0F));
  builder.constant("high", Tensor::scalar(6.0F));
  const std::string conv = builder.node("Conv", {builder.input("x", {1, 3, 2, 2}), "w"});
  const Model model =
      build_with_output(builder, builder.node("Clip", {conv, "low", "high"}, {}, "clip"));
  ThreadPool pool(1);
  for (const double high : {5.9, 5.99, 5.999, 6.0}) {
    const QuantizedModel result =
        quantize(model, {{"x", {-1, 1}}, {"clip_out", {0, high}}}, {.int16_scale = true}, pool);
    const float scale = result.tensors.at("clip_out").scales[0];
    EXPECT_LE(odd_numerator(scale), 32767);
    EXPECT_LE(scale * 255.0F, 6.0F);
    EXPECT_GT(scale * 255.0F, static_cast<float>(high) - 0.001F);
    EXPECT_LE(steps_apart(result), 1.01);
  }
}

TEST(Int16Bias, IsShiftedByTheLeastPowerThatFits) {
  const QuantizedModel result =
      tiny_with({.target = Target::cpu_vnni, .per_channel = true, .bias_type = BiasType::int16});
  // s_in * s_w = 0.0001 and 0.00005; 0.3 fits, 100 / 0.00005 = 2e6 takes 2^6.
  const TensorParams& bias = result.tensors.at("b");
  EXPECT_EQ(bias.type, DataType::int16);
  EXPECT_FLOAT_EQ(bias.scales[0], 0.0001F);
  EXPECT_FLOAT_EQ(bias.scales[1], 0.00005F * 64);
  EXPECT_EQ(*result.model.graph.find_initializer("b_quantized"),
            Tensor::of<std::int16_t>({2}, {3000, -31250}));
}

/// 32767 needs no shift and -32768 needs one: the shift follows from the value itself.
TEST(Int16Bias, TheLargestIntegerNeedsNoShift) {
  const Tensor bias = Tensor::of<float>({2}, {32767, -32768});
  const QuantizedTensor result = quantize_shifted_bias(bias, {1, 1});
  EXPECT_EQ(result.params.scales, (std::vector<float>{1, 2}));
  EXPECT_EQ(result.integers, Tensor::of<std::int16_t>({2}, {32767, -16384}));
}

TEST(Int16Bias, RunsInFloatOnOnnxRuntimeAtEveryOpset) {
  for (const std::int64_t opset : {17, 21}) {
    for (const bool per_channel : {false, true}) {
      const QuantizedModel result =
          tiny_with({.per_channel = per_channel, .bias_type = BiasType::int16}, opset);
      EXPECT_EQ(fused_operators(result.model)["QLinearConv"], 0);
      EXPECT_LE(steps_apart(result), 1.01);
      EXPECT_EQ(reason_of(result.layers, "conv"),
                "its bias 'b' is int16, which ONNX Runtime's CPU provider computes in float");
      EXPECT_EQ(result.model.opset(), opset);
      EXPECT_EQ(result.model.opsets.contains("com.microsoft"), opset < 21);
    }
  }
}

TEST(BiasLikeWeight, HasTheWeightsTypeAndItsOwnScale) {
  const QuantizedModel result = tiny_with({.bias_type = BiasType::like_weight});
  EXPECT_EQ(result.tensors.at("b").type, DataType::int8);
  EXPECT_FLOAT_EQ(result.tensors.at("b").scales[0], 100.0F / 127);
  EXPECT_EQ(*result.model.graph.find_initializer("b_quantized"),
            Tensor::of<std::int8_t>({2}, {0, -127}));
  EXPECT_LE(steps_apart(result), 1.01);
}

TEST(BiasLikeWeight, IsAPowerOfTwoWhereWeightsAre) {
  const QuantizedModel result =
      tiny_with({.power_of_two = true, .bias_type = BiasType::like_weight});
  EXPECT_EQ(result.tensors.at("b").scales[0], 1.0F);  // nearest to 100 / 127
}

/// Two Convs joined by a Concat, followed by an AveragePool.
Model joined_convs() {
  ModelBuilder builder;
  builder.random_weight("w1", {2, 2, 1, 1}, 1, 1);
  builder.random_weight("w2", {2, 2, 1, 1}, 1, 2);
  const std::string x = builder.input("x", {1, 2, 4, 4});
  const std::string left = builder.node("Conv", {x, "w1"}, {}, "left");
  const std::string right = builder.node("Conv", {x, "w2"}, {}, "right");
  const std::string both =
      builder.node("Concat", {left, right}, {{"axis", std::int64_t{1}}}, "both");
  return build_with_output(builder, builder.node("GlobalAveragePool", {both}, {}, "pool"));
}

const Ranges kJoinedRanges = {{"x", {-1, 1}},
                              {"left_out", {-2, 1}},
                              {"right_out", {-1, 3}},
                              {"both_out", {-1, 1}},
                              {"pool_out", {-0.1, 0.1}}};

TEST(Passthrough, AnOutputTakesTheRangesOfAllInputsTogether) {
  ThreadPool pool(1);
  QuantizeOptions options;
  options.passthrough_op_types = {"Concat"};
  const QuantizedModel result = quantize(joined_convs(), kJoinedRanges, options, pool);
  EXPECT_FLOAT_EQ(result.tensors.at("both_out").scales[0], 5.0F / 255);
  EXPECT_FLOAT_EQ(result.tensors.at("pool_out").scales[0], 0.2F / 255);
}

TEST(Passthrough, ConsecutiveTypesAreAllHonoured) {
  ThreadPool pool(1);
  QuantizeOptions options;
  options.passthrough_op_types = {"Concat", "GlobalAveragePool"};
  Ranges ranges = kJoinedRanges;
  ranges.erase("both_out");
  ranges.erase("pool_out");
  const QuantizedModel result = quantize(joined_convs(), ranges, options, pool);
  EXPECT_FLOAT_EQ(result.tensors.at("pool_out").scales[0], 5.0F / 255);
}

TEST(Passthrough, TypesThatComputeAreRefused) {
  QuantizeOptions options;
  options.passthrough_op_types = {"Reshape", "Conv"};
  try {
    (void)plan_layers(joined_convs(), options);
    FAIL() << "nothing was thrown";
  } catch (const Unsupported& error) {
    EXPECT_STREQ(
        error.what(),
        "quantize: CalibPassthroughOpTypes names 'Conv', whose outputs are not made of the "
        "values of its inputs; expected data movement (Reshape, Transpose, Split, ...) or "
        "AveragePool, Concat, GlobalAveragePool, GlobalMaxPool, Max, Min, ReduceMean, Where");
  }
}

}  // namespace
}  // namespace quantsearch
