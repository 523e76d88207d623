// Compares positions with hand values. Activations are int8 and symmetric, so that the range
// +-127 * 2^-p has the position p; biases have 127 * 2^-p as their largest value.

#include "quantize/numbers/npu_rules.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "quantize/fixture.h"
#include "support/messages.h"

namespace quantsearch {
namespace {

using testing::build_with_output;
using testing::count_of;
using testing::ModelBuilder;
using testing::reason_of;
using testing::steps_apart;

double end_of(int position) { return 127 * std::exp2(-position); }
Range at(int position) { return {.low = -end_of(position), .high = end_of(position)}; }
float value_at(int position) { return static_cast<float>(end_of(position)); }

QuantizeOptions npu_options() {
  QuantizeOptions options;
  options.activation_type = DataType::int8;
  options.activation_symmetric = true;
  options.power_of_two = true;
  options.bias_type = BiasType::like_weight;
  options.align = {.concat = true, .pool = true, .pad = true};
  options.npu.enabled = true;
  return options;
}

QuantizedModel run_for_npu(const Model& model, const Ranges& ranges,
                           const QuantizeOptions& options = npu_options()) {
  ThreadPool pool(1);
  return quantize(model, ranges, options, pool);
}

int position(const QuantizedModel& result, const std::string& tensor) {
  return -std::ilogb(result.tensors.at(tensor).scales[0]);
}

/// A 1x1 Conv of one channel with weight and bias at given positions.
Model conv(int weight, int bias, bool leaky = false) {
  ModelBuilder builder;
  builder.weight("w", {1, 1, 1, 1}, {value_at(weight)});
  builder.weight("b", {1}, {value_at(bias)});
  std::string end = builder.node("Conv", {builder.input("x", {1, 1, 2, 2}), "w", "b"}, {}, "conv");
  if (leaky) end = builder.node("LeakyRelu", {end}, {{"alpha", 0.1015625F}}, "leaky");
  return build_with_output(builder, end);
}

TEST(NpuRules, PositionsWithinTheLimitsStayUnchanged) {
  const QuantizedModel result = run_for_npu(conv(7, 6), {{"x", at(5)}, {"conv_out", at(4)}});
  EXPECT_EQ(position(result, "x"), 5);
  EXPECT_EQ(position(result, "w"), 7);
  EXPECT_EQ(position(result, "b"), 6);
  EXPECT_EQ(position(result, "conv_out"), 4);
  EXPECT_EQ(
      reason_of(result.layers, "conv"),
      "its bias 'b' is int8 with a scale of its own, which ONNX Runtime's CPU provider computes "
      "in float");
}

TEST(NpuRules, ACutAboveSixteenMakesTheWeightCoarserFromItsFloatValues) {
  // 14 + 6 - 2 = 18, so the weight goes down by 2, and 127 / 4 is 31.75.
  const QuantizedModel result = run_for_npu(conv(14, 8), {{"x", at(6)}, {"conv_out", at(2)}});
  EXPECT_EQ(position(result, "w"), 12);
  EXPECT_EQ(*result.model.graph.find_initializer("w_quantized"),
            Tensor::of<std::int8_t>({1, 1, 1, 1}, {32}));
}

TEST(NpuRules, AnOutputFinerThanTheAccumulatorIsLowered) {
  // 3 + 2 - 9 = -4, so the output goes to 5.
  const QuantizedModel result = run_for_npu(conv(3, 4), {{"x", at(2)}, {"conv_out", at(9)}});
  EXPECT_EQ(position(result, "conv_out"), 5);
  EXPECT_EQ(position(result, "w"), 3);
}

TEST(NpuRules, ABiasMuchFinerThanTheAccumulatorIsLowered) {
  // The cut is 4 + 4 - 4 = 4, so the bias may be 12 finer: 8 + 12 = 20, not 22.
  const QuantizedModel result = run_for_npu(conv(4, 22), {{"x", at(4)}, {"conv_out", at(4)}});
  EXPECT_EQ(position(result, "b"), 20);
  EXPECT_EQ(*result.model.graph.find_initializer("b_quantized"),
            Tensor::of<std::int8_t>({1}, {32}));
}

TEST(NpuRules, BeforeALeakyReluABiasIsNotFinerThanTheAccumulator) {
  const QuantizedModel result =
      run_for_npu(conv(4, 12, true), {{"x", at(4)}, {"leaky_out", at(4)}});
  EXPECT_EQ(position(result, "b"), 8);
  // Both share one pair, after the LeakyRelu.
  EXPECT_FALSE(result.tensors.contains("conv_out"));
  EXPECT_EQ(position(result, "leaky_out"), 4);
}

TEST(NpuRules, ABiasTooCoarseMakesTheWeightCoarser) {
  // 12 + 8 - 3 = 17 is two more than the largest shift, so the weight goes to 10, and the cut is
  // then 10 + 8 - 6 = 12.
  const QuantizedModel result = run_for_npu(conv(12, 3), {{"x", at(8)}, {"conv_out", at(6)}});
  EXPECT_EQ(position(result, "w"), 10);
  EXPECT_EQ(position(result, "b"), 3);
}

/// op(x, y) of two graph inputs.
Model binary(const std::string& op) {
  ModelBuilder builder;
  const std::string x = builder.input("x", {1, 1, 2, 2});
  const std::string y = builder.input("y", {1, 1, 2, 2});
  return build_with_output(builder, builder.node(op, {x, y}, {}, "op"));
}

TEST(NpuRules, InputsOfAnAddAreAtMostSevenApart) {
  for (const char* op : {"Add", "Sub"}) {
    const QuantizedModel result =
        run_for_npu(binary(op), {{"x", at(12)}, {"y", at(3)}, {"op_out", at(9)}});
    EXPECT_EQ(position(result, "x"), 10) << op;
    EXPECT_EQ(position(result, "y"), 3) << op;
  }
}

TEST(NpuRules, TheOutputOfAnAddIsAtMostSevenFiner) {
  const QuantizedModel result =
      run_for_npu(binary("Add"), {{"x", at(4)}, {"y", at(3)}, {"op_out", at(13)}});
  EXPECT_EQ(position(result, "op_out"), 10);
}

TEST(NpuRules, TheOutputOfAMulIsNotFinerThanTheProduct) {
  const QuantizedModel result =
      run_for_npu(binary("Mul"), {{"x", at(2)}, {"y", at(3)}, {"op_out", at(7)}});
  EXPECT_EQ(position(result, "op_out"), 5);
}

TEST(NpuRules, AProductMuchFinerThanItsOutputMakesTheFinerInputCoarser) {
  const QuantizedModel result =
      run_for_npu(binary("Mul"), {{"x", at(20)}, {"y", at(15)}, {"op_out", at(0)}});
  EXPECT_EQ(position(result, "x"), 17);  // 20 + 15 - 0 = 35, three too many
  EXPECT_EQ(position(result, "y"), 15);
}

TEST(NpuRules, AConcatTakesTheLowestPositionOfAll) {
  const QuantizedModel result = [] {
    ModelBuilder builder;
    const std::string x = builder.input("x", {1, 1, 2, 2});
    const std::string y = builder.input("y", {1, 1, 2, 2});
    return run_for_npu(build_with_output(builder, builder.node("Concat", {x, y},
                                                               {{"axis", std::int64_t{1}}}, "op")),
                       {{"x", at(6)}, {"y", at(4)}, {"op_out", at(5)}});
  }();
  for (const char* tensor : {"x", "y", "op_out"}) EXPECT_EQ(position(result, tensor), 4) << tensor;
}

/// Conv -> MaxPool -> AveragePool: the first pool moves values, the second averages them.
Model pooled() {
  ModelBuilder builder;
  builder.weight("w", {1, 1, 1, 1}, {value_at(7)});
  const std::string made =
      builder.node("Conv", {builder.input("x", {1, 1, 4, 4}), "w"}, {}, "conv");
  const std::vector<std::int64_t> kernel = {2, 2};
  const std::string maximum =
      builder.node("MaxPool", {made}, {{"kernel_shape", kernel}, {"strides", kernel}}, "max");
  return build_with_output(
      builder, builder.node("AveragePool", {maximum}, {{"kernel_shape", kernel}}, "mean"));
}

TEST(NpuRules, AlignmentChangesAllTensorsThatShareParameters) {
  const QuantizedModel result =
      run_for_npu(pooled(), {{"x", at(5)}, {"conv_out", at(6)}, {"mean_out", at(4)}});
  for (const char* tensor : {"conv_out", "max_out", "mean_out"})
    EXPECT_EQ(position(result, tensor), 4) << tensor;
  EXPECT_LE(steps_apart(result), 1.01);
}

TEST(NpuRules, RoundsEndAtMaxLoopNumAndTheRecordNamesTheUnmetRule) {
  // The Concat is aligned at 7 before the Mul, whose product has the position 4, is checked.
  ModelBuilder builder;
  const std::string x = builder.input("x", {1, 1, 2, 2});
  const std::string y = builder.input("y", {1, 1, 2, 2});
  const std::string z = builder.input("z", {1, 1, 2, 2});
  const std::string product = builder.node("Mul", {x, y}, {}, "product");
  const Model model = build_with_output(
      builder, builder.node("Concat", {product, z}, {{"axis", std::int64_t{1}}}, "joined"));
  const Ranges ranges = {
      {"x", at(0)}, {"y", at(4)}, {"z", at(7)}, {"product_out", at(7)}, {"joined_out", at(7)}};
  QuantizeOptions options = npu_options();
  options.align.max_loops = 1;
  const QuantizedModel once = run_for_npu(model, ranges, options);
  EXPECT_EQ(position(once, "product_out"), 4);
  EXPECT_EQ(position(once, "z"), 7);
  EXPECT_EQ(reason_of(once.layers, "joined"),
            "the NPU's AlignConcat is not met after the rounds that MaxLoopNum allows");
  options.align.max_loops = 2;
  const QuantizedModel twice = run_for_npu(model, ranges, options);
  EXPECT_EQ(position(twice, "z"), 4);
  EXPECT_EQ(position(twice, "joined_out"), 4);
  EXPECT_EQ(reason_of(twice.layers, "joined"), "");
}

/// The model is x * HardSigmoid(x).
TEST(NpuRules, HardSigmoidAndSwishHaveTheirOwnLimits) {
  ModelBuilder builder;
  const std::string x = builder.input("x", {1, 1, 2, 2});
  const std::string gate = builder.node("HardSigmoid", {x}, {}, "gate");
  const Model model = build_with_output(builder, builder.node("Mul", {x, gate}, {}, "swish"));
  const QuantizedModel fine = run_for_npu(model, {{"x", at(18)}, {"swish_out", at(4)}});
  EXPECT_EQ(position(fine, "gate_out"), 7);
  // The HardSigmoid limits it to 15, and 15 + 7 - 4 = 18 lowers it by 3.
  EXPECT_EQ(position(fine, "x"), 12);
  const QuantizedModel coarse = run_for_npu(model, {{"x", at(-2)}, {"swish_out", at(3)}});
  EXPECT_EQ(position(coarse, "x"), 0);
}

TEST(NpuRules, SwitchesTurnSingleRulesOff) {
  QuantizeOptions options = npu_options();
  options.npu.shift_read = false;
  const Ranges ranges = {{"x", at(12)}, {"y", at(3)}, {"op_out", at(9)}};
  EXPECT_EQ(position(run_for_npu(binary("Add"), ranges, options), "x"), 12);
  options = npu_options();
  options.npu.shift_cut = false;
  EXPECT_EQ(position(run_for_npu(conv(14, 8), {{"x", at(6)}, {"conv_out", at(2)}}, options), "w"),
            14);
}

TEST(NpuRules, AReluHasNoPairBeforeIt) {
  ModelBuilder builder;
  builder.weight("w", {1, 1, 1, 1}, {value_at(7)});
  const std::string made =
      builder.node("Conv", {builder.input("x", {1, 1, 4, 4}), "w"}, {}, "conv");
  const QuantizedModel result =
      run_for_npu(build_with_output(builder, builder.node("Relu", {made}, {}, "relu")),
                  {{"x", at(5)}, {"relu_out", at(4)}});
  EXPECT_EQ(count_of(result.model, "QuantizeLinear"), 2);
}

TEST(NpuRules, TheFactorOfAPoolHasNoPairBeforeIt) {
  ModelBuilder builder;
  builder.constant("factor", Tensor::scalar(1.0048828125F));
  const std::string mean =
      builder.node("GlobalAveragePool", {builder.input("x", {1, 1, 7, 7})}, {}, "mean");
  const QuantizedModel result =
      run_for_npu(build_with_output(builder, builder.node("Mul", {mean, "factor"}, {}, "scaled")),
                  {{"x", at(5)}, {"mean_out", at(5)}, {"scaled_out", at(6)}});
  EXPECT_FALSE(result.tensors.contains("mean_out"));
  EXPECT_FALSE(result.tensors.contains("factor"));
  EXPECT_EQ(position(result, "scaled_out"), 5);
  EXPECT_EQ(position(result, "x"), 5);
}

TEST(NpuRules, APadThatMergesIntoNoConvHasPairsOnBothSides) {
  ModelBuilder builder;
  builder.constant("pads", Tensor::of<std::int64_t>({8}, {0, 0, 1, 1, 0, 0, 1, 1}));
  builder.constant("value", Tensor::scalar(-1.0F));
  const std::string pad =
      builder.node("Pad", {builder.input("x", {1, 1, 2, 2}), "pads", "value"}, {}, "pad");
  const QuantizedModel result =
      run_for_npu(build_with_output(builder, builder.node("Tanh", {pad}, {}, "tanh")),
                  {{"x", at(6)}, {"pad_out", at(4)}, {"tanh_out", at(7)}});
  EXPECT_EQ(position(result, "x"), 4);
  EXPECT_EQ(position(result, "pad_out"), 4);
}

TEST(NpuRules, TheMessageNamesAnOverrideThatContradictsARule) {
  QuantizeOptions options = npu_options();
  TensorOverride wanted;
  wanted.values = {
      {.params = ScaleZeroPoint{.scale = 0.25F, .zero_point = 0}, .low = {}, .high = {}}};
  options.overrides = {{"y", wanted}};
  EXPECT_EQ(
      message_of([&] {
        (void)run_for_npu(binary("Mul"), {{"x", at(40)}, {"y", at(2)}, {"op_out", at(0)}}, options);
      }),
      "nothing was thrown");
  options.overrides = {{"op_out", wanted}};
  EXPECT_EQ(
      message_of([&] {
        (void)run_for_npu(binary("Mul"), {{"x", at(0)}, {"y", at(1)}, {"op_out", at(0)}}, options);
      }),
      "quantize: TensorQuantOverrides of 'op_out' gives the scale 0.25, but AdjustShiftWrite "
      "of Mul "
      "'op' needs 0.5; leave one of the two out");
  wanted.values[0].params->scale = 0.3F;
  options.overrides = {{"op_out", wanted}};
  EXPECT_EQ(
      message_of([&] {
        (void)run_for_npu(binary("Mul"), {{"x", at(0)}, {"y", at(1)}, {"op_out", at(0)}}, options);
      }),
      "quantize: enable_npu_cnn: tensor 'op_out' has the scale 0.3, expected a power of two");
}

TEST(NpuRules, OptionsWithoutPositionsAreErrors) {
  const auto refusal = [](const std::function<void(QuantizeOptions&)>& change) {
    return message_of([&] {
      QuantizeOptions options = npu_options();
      change(options);
      (void)plan_layers(binary("Add"), options);
    });
  };
  EXPECT_EQ(refusal([](QuantizeOptions& options) { options.power_of_two = false; }),
            "quantize: enable_npu_cnn needs scales that are powers of two");
  EXPECT_EQ(refusal([](QuantizeOptions& options) { options.activation_symmetric = false; }),
            "quantize: enable_npu_cnn needs symmetric activations and weights");
  EXPECT_EQ(refusal([](QuantizeOptions& options) { options.per_channel = true; }),
            "quantize: enable_npu_cnn needs weights per tensor");
  EXPECT_EQ(refusal([](QuantizeOptions& options) { options.weight_type = DataType::int16; }),
            "quantize: enable_npu_cnn needs weights of type int8");
}

}  // namespace
}  // namespace quantsearch
