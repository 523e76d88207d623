// Tests that nodes stay float when calibration has found values in their tensors that no quantizer
// can represent, and that all other nodes are quantized.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "quantize/fixture.h"
#include "quantize/numbers/activations.h"
#include "quantize/placement/value_bounds.h"

namespace quantsearch {
namespace {

using testing::build_with_output;
using testing::is_quantized;
using testing::ModelBuilder;
using testing::reason_of;

/// Conv -> Add of `other` -> Conv.
Model two_convs() {
  ModelBuilder builder;
  builder.random_weight("w1", {3, 3, 1, 1}, 1, 1);
  builder.random_weight("w2", {3, 3, 1, 1}, 1, 2);
  const std::string first =
      builder.node("Conv", {builder.input("x", {1, 3, 2, 2}), "w1"}, {}, "first");
  const std::string sum =
      builder.node("Add", {first, builder.input("other", {1, 3, 2, 2})}, {}, "sum");
  return build_with_output(builder, builder.node("Conv", {sum, "w2"}, {}, "second"));
}

TEST(QuantizeFacts, ReadersOfTensorsWithNonFiniteValuesStayFloat) {
  const QuantizeOptions options{.facts = {{"other", {.nan_count = 1, .infinite_count = 2}}}};
  const auto layers = plan_layers(two_convs(), options);
  EXPECT_EQ(reason_of(layers, "sum"),
            "its tensor 'other' held 1 NaN and 2 infinite values in the calibration data");
  EXPECT_TRUE(is_quantized(layers, "first"));
  EXPECT_TRUE(is_quantized(layers, "second"));
}

TEST(QuantizeFacts, TheReasonContainsTheValueOfAMask) {
  EXPECT_EQ(reason_of(plan_layers(two_convs(), {.facts = {{"other", {.mask = -65504.0F}}}}), "sum"),
            "its tensor 'other' holds a mask of -65504, which would take the whole range");
}

/// x -> MatMul of w -> activation -> MatMul of w.
Model two_products(const std::string& activation) {
  ModelBuilder builder;
  builder.weight("w", {2, 2}, {1, -2, 3, 0.5F});
  const std::string first = builder.node("MatMul", {builder.input("x", {2, 2}), "w"}, {}, "first");
  const std::string between = builder.node(activation, {first}, {}, "between");
  return build_with_output(builder, builder.node("MatMul", {between, "w"}, {}, "second"));
}

TEST(QuantizeFacts, ATensorWithoutValuesNeedsNoRange) {
  const QuantizeOptions options{.facts = {{"between_out", {.is_empty = true}}}};
  ThreadPool pool(1);
  const QuantizedModel result =
      quantize(two_products("Erf"), Ranges{{"x", {.low = -1, .high = 1}}}, options, pool);
  check_model(result.model);
  EXPECT_TRUE(is_quantized(result.layers, "first"));
  EXPECT_EQ(reason_of(result.layers, "second"),
            "its tensor 'between_out' had no values in the calibration data, so it has no range");
}

TEST(QuantizeFacts, ATensorWithoutValuesHasBoundsFromItsInputs) {
  const QuantizeOptions options{
      .facts = {{"first_out", {.is_empty = true}}, {"second_out", {.is_empty = true}}}};
  ThreadPool pool(1);
  const QuantizedModel result = quantize(
      two_products("Relu"),
      Ranges{{"x", {.low = -1, .high = 2}}, {"between_out", {.low = 0, .high = 5}}}, options, pool);
  EXPECT_TRUE(is_quantized(result.layers, "second"));
  // The columns of w have the magnitudes 4 and 2.5: |second| <= 4 * 5.
  const TensorParams& params = result.tensors.at("second_out");
  EXPECT_FLOAT_EQ(params.scales[0], 40.0F / 255.0F);
}

TEST(ValueBounds, FollowTheArithmetic) {
  ModelBuilder builder;
  builder.weight("w", {2, 1, 1, 1}, {3, -4});
  builder.weight("bias", {2}, {1, -1});
  builder.weight("factor", {1}, {-2});
  const std::string conv =
      builder.node("Conv", {builder.input("x", {1, 1, 2, 2}), "w", "bias"}, {}, "conv");
  const std::string product = builder.node("Mul", {conv, "factor"}, {}, "product");
  const std::string difference =
      builder.node("Sub", {product, builder.input("y", {1, 2, 2, 2})}, {}, "difference");
  const Model model = build_with_output(
      builder, builder.node("Concat", {difference, conv}, {{"axis", std::int64_t{1}}}, "all"));
  const GraphIndex index(model.graph);
  const GraphView view{.graph = model.graph, .index = index};
  const ObservedRange observed = [](const std::string& tensor) -> std::optional<Range> {
    if (tensor == "x") return Range{.low = -1, .high = 0.5};
    if (tensor == "y") return Range{.low = 0, .high = 3};
    return std::nullopt;
  };
  EXPECT_EQ(value_bounds(view, "conv_out", observed), (Range{.low = -5, .high = 5}));
  EXPECT_EQ(value_bounds(view, "product_out", observed), (Range{.low = -10, .high = 10}));
  EXPECT_EQ(value_bounds(view, "all_out", observed), (Range{.low = -13, .high = 10}));
}

TEST(QuantizeFacts, AMovedTensorHasTheFactsOfItsSource) {
  ModelBuilder builder;
  builder.random_weight("w", {4, 4}, 1, 1);
  const std::string moved = builder.node("Transpose", {builder.input("x", {4, 4})}, {}, "moved");
  const Model model =
      build_with_output(builder, builder.node("MatMul", {moved, "w"}, {}, "product"));
  const auto layers = plan_layers(model, {.facts = {{"x", {.infinite_count = 1}}}});
  EXPECT_EQ(reason_of(layers, "product"),
            "its tensor 'moved_out' held 0 NaN and 1 infinite values in the calibration data");
}

/// x -> Conv -> its square -> Log -> Conv.
Model log_power() {
  ModelBuilder builder;
  builder.random_weight("w1", {3, 3, 1, 1}, 1, 1);
  builder.random_weight("w2", {3, 3, 1, 1}, 1, 2);
  const std::string conv =
      builder.node("Conv", {builder.input("x", {1, 3, 2, 2}), "w1"}, {}, "first");
  const std::string power = builder.node("Mul", {conv, conv}, {}, "power");
  const std::string log = builder.node("Log", {power}, {}, "log");
  return build_with_output(builder, builder.node("Conv", {log, "w2"}, {}, "second"));
}

const Facts kOfLog = {{"first_out", {.median_for_log = 0.02}},
                      {"power_out", {.median_for_log = 0.0004}}};

TEST(QuantizeFacts, NodesBeforeALogStayFloatWhenStepsAreTooFew) {
  const auto layers = plan_layers(log_power(), {.facts = kOfLog});
  // 255 * 0.02 and 255 * 0.0004
  EXPECT_EQ(reason_of(layers, "first"),
            "a Log is computed from its output 'first_out', and 8 bits would leave half of the "
            "values 5.1 steps or fewer (at least 16 are needed)");
  EXPECT_EQ(reason_of(layers, "power"),
            "a Log is computed from its output 'power_out', and 8 bits would leave half of the "
            "values 0.1 steps or fewer (at least 16 are needed)");
  EXPECT_TRUE(is_quantized(layers, "second"));
}

TEST(QuantizeFacts, NodesBeforeALogOfSimilarValuesAreQuantized) {
  const Facts alike = {{"first_out", {.median_for_log = 0.3}},
                       {"power_out", {.median_for_log = 0.09}}};
  const auto layers = plan_layers(log_power(), {.facts = alike});
  EXPECT_TRUE(is_quantized(layers, "first"));
  EXPECT_TRUE(is_quantized(layers, "power"));
}

TEST(QuantizeFacts, NodesBeforeALogAreQuantizedWhenActivationAndWeightHave16Bits) {
  QuantizeOptions options{.activation_type = DataType::uint16, .facts = kOfLog};
  // 65535 * 0.0004 = 26 steps for the power. With an 8-bit weight, errors of large values are added
  // to small ones.
  auto layers = plan_layers(log_power(), options);
  EXPECT_FALSE(is_quantized(layers, "first"));
  options.weight_type = DataType::int16;
  layers = plan_layers(log_power(), options);
  EXPECT_TRUE(is_quantized(layers, "first"));
  EXPECT_TRUE(is_quantized(layers, "power"));
}

TEST(QuantizeFacts, FormatsOfNodesAreConsideredBeforeALog) {
  const QuantizeOptions options{
      .node_formats = {{"first", {.activation = DataType::uint16, .weight = DataType::int16}}},
      .facts = kOfLog};
  EXPECT_TRUE(is_quantized(plan_layers(log_power(), options), "first"));
}

TEST(QuantizeFacts, ATensorWithAnOverrideIsQuantizedBeforeALog) {
  const QuantizeOptions options{.facts = kOfLog, .overrides = {{"first_out", {}}}};
  EXPECT_TRUE(is_quantized(plan_layers(log_power(), options), "first"));
}

TEST(TensorsToObserve, ContainTheInputOfALog) {
  ModelBuilder builder;
  builder.weight("w", {2, 2}, {1, -2, 3, 0.5F});
  const std::string product =
      builder.node("MatMul", {builder.input("x", {2, 2}), "w"}, {}, "product");
  const std::string size = builder.node("Abs", {product}, {}, "size");
  const std::string root = builder.node("Sqrt", {size}, {}, "root");
  const Model model = build_with_output(builder, builder.node("Log", {root}, {}, "log"));
  const std::vector<std::string> tensors = tensors_to_observe(model);
  EXPECT_NE(std::ranges::find(tensors, "root_out"), tensors.end());
}

TEST(QuantizeFacts, TheReasonOfAUserExclusionComesFirst) {
  const QuantizeOptions options{.exclude_nodes = {"sum"}, .facts = {{"other", {.nan_count = 1}}}};
  EXPECT_EQ(reason_of(plan_layers(two_convs(), options), "sum").find("its tensor"),
            std::string::npos);
}

TEST(QuantizeFacts, AConstantOfTenThousandIsAMask) {
  ModelBuilder builder;
  builder.random_weight("w", {3, 3, 1, 1}, 1, 1);
  builder.weight("mask", {2}, {0, -1e4F});
  const std::string conv = builder.node("Conv", {builder.input("x", {1, 3, 2, 2}), "w"});
  const Model model = build_with_output(builder, builder.node("Add", {conv, "mask"}, {}, "masked"));
  EXPECT_EQ(reason_of(plan_layers(model, {}), "masked"),
            "its constant 'mask' is a mask whose values would take the whole range");
}

TEST(TensorsToObserve, SkipTensorsOfNodesThatAreNeverQuantized) {
  // The infinite constant keeps the Where float; its output is read by the Add.
  ModelBuilder builder;
  builder.weight("keep", {}, {0});
  builder.weight("drop", {}, {-INFINITY});
  const std::string mask = builder.node(
      "Where", {builder.input("condition", {4}, DataType::boolean), "keep", "drop"}, {}, "mask");
  const std::string bad = builder.node("Mul", {builder.input("x", {4}), "drop"}, {}, "bad");
  builder.node("IsNaN", {bad}, {}, "test");
  builder.output("test_out", {4}, DataType::boolean);
  const Model model = build_with_output(
      builder, builder.node("Add", {mask, builder.input("scores", {4})}, {}, "sum"));
  EXPECT_EQ(tensors_to_observe(model), (std::vector<std::string>{"mask_out", "scores", "sum_out"}));
}

TEST(ConstantParams, TheScaleIsThePowerOfTwoWithTheLeastError) {
  const QuantizeOptions cpu{.power_of_two = true};
  EXPECT_EQ(constant_params(Tensor::scalar(640.0F), DataType::uint8, cpu).scales[0], 4);
  const QuantizeOptions npu{.activation_type = DataType::int8,
                            .activation_symmetric = true,
                            .power_of_two = true,
                            .npu = {.enabled = true}};
  EXPECT_EQ(constant_params(Tensor::scalar(640.0F), DataType::int8, npu).scales[0], 8);
  // The values are integers below 64 and one 128. Clipping 128 at 127 costs 1, and a step of 2
  // costs 1 for every odd integer.
  std::vector<float> values(4096);
  for (std::size_t at = 0; at < values.size(); ++at) values[at] = static_cast<float>(at % 64);
  values[0] = 128;
  EXPECT_EQ(constant_params(Tensor::of<float>({4096}, values), DataType::int8, npu).scales[0], 1);
}

}  // namespace
}  // namespace quantsearch
