#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "quantize/fixture.h"

namespace quantsearch {
namespace {

using testing::build_with_output;
using testing::count_of;
using testing::is_quantized;
using testing::kTinyRanges;
using testing::ModelBuilder;
using testing::quantized;
using testing::reason_of;
using testing::tiny_conv;

QuantizedModel quantize_tiny(const QuantizeOptions& options) {
  ThreadPool pool(1);
  return quantize(tiny_conv(), kTinyRanges, options, pool);
}

TEST(Quantize, ScalesAndIntegersMatchHandValues) {
  const QuantizedModel result = quantize_tiny({});
  EXPECT_FLOAT_EQ(result.tensors.at("x").scales[0], 0.01F);
  EXPECT_EQ(result.tensors.at("x").zero_points[0], 100);
  EXPECT_FLOAT_EQ(result.tensors.at("conv_out").scales[0], 0.02F);
  EXPECT_EQ(result.tensors.at("conv_out").zero_points[0], 100);
  EXPECT_FLOAT_EQ(result.tensors.at("w").scales[0], 0.01F);
  EXPECT_FLOAT_EQ(result.tensors.at("b").scales[0], 0.0001F);
  const Graph& graph = result.model.graph;
  EXPECT_EQ(*graph.find_initializer("w_quantized"),
            Tensor::of<std::int8_t>({2, 2, 1, 1}, {127, -50, 20, 64}));
  EXPECT_EQ(*graph.find_initializer("b_quantized"), Tensor::of<std::int32_t>({2}, {3000, -1000}));
  EXPECT_EQ(graph.find_initializer("w"), nullptr);
  EXPECT_EQ(*graph.find_initializer("x_zero_point"), Tensor::scalar<std::uint8_t>(100));
  EXPECT_EQ(graph.outputs[0].name, "conv_out");
}

/// The integer arithmetic of the format is: accumulate (q_x - z_x) q_w + q_b, scale, round, clip.
TEST(Quantize, TheModelComputesWhatIntegerArithmeticGives) {
  const QuantizedModel result = quantize_tiny({.per_channel = true});
  const std::vector<float> input = {0.123F, -0.9F, 1.4F, 0.555F};
  const Batch outputs =
      open_session(result.model)->run({{"x", Tensor::of<float>({1, 2, 1, 2}, input)}});
  const TensorParams& x = result.tensors.at("x");
  const TensorParams& y = result.tensors.at("conv_out");
  const TensorParams& w = result.tensors.at("w");
  const auto weights = result.model.graph.find_initializer("w_quantized")->values<std::int8_t>();
  const auto biases = result.model.graph.find_initializer("b_quantized")->values<std::int32_t>();
  for (std::size_t channel = 0; channel < 2; ++channel) {
    for (std::size_t column = 0; column < 2; ++column) {
      double sum = biases[channel];
      for (std::size_t from = 0; from < 2; ++from) {
        const double quantized_x = std::nearbyint(input[from * 2 + column] / x.scales[0]);
        sum += quantized_x * weights[channel * 2 + from];
      }
      const double scale =
          static_cast<double>(x.scales[0]) * static_cast<double>(w.scales[channel]);
      const double step = static_cast<double>(y.scales[0]);
      const auto zero = static_cast<double>(y.zero_points[0]);
      const double integer = std::clamp(std::nearbyint(sum * scale / step) + zero, 0.0, 255.0);
      EXPECT_NEAR(static_cast<double>(outputs.at("conv_out").values<float>()[channel * 2 + column]),
                  (integer - zero) * step, 1e-6);
    }
  }
}

TEST(Quantize, PerChannelParametersAreVectorsOnTheRightAxis) {
  const QuantizedModel result = quantize_tiny({.per_channel = true});
  EXPECT_EQ(result.tensors.at("w").axis, 0);
  EXPECT_EQ(result.model.graph.find_initializer("w_scale")->shape(), (Shape{2}));
  EXPECT_EQ(result.model.graph.find_initializer("b_scale")->shape(), (Shape{2}));
  EXPECT_EQ(result.model.graph.find_initializer("x_scale")->shape(), Shape{});
}

TEST(Quantize, BiasStaysFloatWithoutQuantizeBias) {
  const QuantizedModel result = quantize_tiny({.quantize_bias = false});
  EXPECT_NE(result.model.graph.find_initializer("b"), nullptr);
  EXPECT_FALSE(result.tensors.contains("b"));
}

TEST(Quantize, ABiasThatWouldOverflowEnlargesTheWeightScaleWithANote) {
  ModelBuilder builder;
  builder.input("x", {1, 2, 1, 1});
  builder.weight("w", {2, 2, 1, 1}, {1e-9F, 1e-9F, 1.0F, 1.0F});
  builder.weight("b", {2}, {5.0F, 5.0F});
  const Model model = build_with_output(builder, builder.node("Conv", {"x", "w", "b"}, {}, "conv"));
  ThreadPool pool(1);
  const QuantizedModel result = quantize(model, {{"x", {0, 0.01}}, {"conv_out", {0, 6}}},
                                         {.target = Target::cpu_vnni, .per_channel = true}, pool);
  EXPECT_NE(reason_of(result.layers, "conv").find("so that the int32 bias 'b' does not overflow"),
            std::string::npos);
  EXPECT_TRUE(is_quantized(result.layers, "conv"));
  const auto bias = result.model.graph.find_initializer("b_quantized")->values<std::int32_t>();
  EXPECT_GT(bias[0], 2'000'000'000);
  EXPECT_FLOAT_EQ(result.tensors.at("w").scales[1], 1.0F / 127);
}

TEST(Quantize, ASharedBiasGetsAScaleForEachReader) {
  ModelBuilder builder;
  builder.random_weight("w1", {2, 2, 1, 1}, 1, 1);
  builder.random_weight("w2", {2, 2, 1, 1}, 3, 2);
  builder.random_weight("b", {2}, 1, 3);
  const std::string first =
      builder.node("Conv", {builder.input("x", {1, 2, 3, 3}), "w1", "b"}, {}, "first");
  const QuantizedModel result =
      quantized(build_with_output(builder, builder.node("Conv", {first, "w2", "b"})));
  EXPECT_NE(result.model.graph.find_initializer("b_quantized"), nullptr);
  EXPECT_NE(result.model.graph.find_initializer("b_quantized_1"), nullptr);
  EXPECT_LE(testing::steps_apart(result), 1.01);
}

TEST(Quantize, ASharedWeightIsStoredOnce) {
  ModelBuilder builder;
  builder.random_weight("w", {2, 2, 1, 1}, 1, 1);
  const std::string first = builder.node("Conv", {builder.input("x", {1, 2, 3, 3}), "w"});
  const QuantizedModel result =
      quantized(build_with_output(builder, builder.node("Conv", {first, "w"})));
  EXPECT_EQ(result.model.graph.find_initializer("w_quantized_1"), nullptr);
  EXPECT_EQ(count_of(result.model, "DequantizeLinear"), 4);  // x, two outputs, one weight
}

TEST(Quantize, AWeightReadAlongTwoAxesIsStoredTwice) {
  ModelBuilder builder;
  builder.random_weight("w", {4, 4}, 1, 1);
  const std::string first = builder.node("MatMul", {builder.input("x", {2, 4}), "w"});
  const std::string last =
      builder.node("Gemm", {first, "w"}, {{.name = "transB", .value = std::int64_t{1}}});
  const QuantizedModel result = quantized(build_with_output(builder, last), {.per_channel = true});
  EXPECT_NE(result.model.graph.find_initializer("w_quantized_1"), nullptr);
  EXPECT_LE(testing::steps_apart(result), 1.01);
}

TEST(Quantize, FloatReadersOfAFloatTensorKeepIt) {
  // Tanh stays float. A Conv (quantized) and an Erf (float) read its output.
  ModelBuilder builder;
  builder.random_weight("w", {3, 3, 1, 1}, 1, 1);
  const std::string tanh = builder.node("Tanh", {builder.input("x", {1, 3, 2, 2})}, {}, "tanh");
  builder.output(builder.node("Erf", {tanh}, {}, "erf"), {1, 3, 2, 2});
  const QuantizedModel result =
      quantized(build_with_output(builder, builder.node("Conv", {tanh, "w"}, {}, "conv")));
  const auto& nodes = result.model.graph.nodes;
  EXPECT_EQ(std::ranges::find(nodes, "Erf", &Node::op_type)->inputs[0], "tanh_out");
  EXPECT_EQ(std::ranges::find(nodes, "Conv", &Node::op_type)->inputs[0],
            "tanh_out_DequantizeLinear_Output");
}

TEST(Quantize, EveryReaderOfAnIntegerTensorTakesTheDequantizedValue) {
  ModelBuilder builder;
  builder.random_weight("w", {3, 3, 1, 1}, 1, 1);
  const std::string conv =
      builder.node("Conv", {builder.input("x", {1, 3, 2, 2}), "w"}, {}, "conv");
  builder.output(builder.node("Erf", {conv}, {}, "erf"), {1, 3, 2, 2});
  builder.output(conv, {1, 3, 2, 2});
  const QuantizedModel result = quantized(builder.build());
  const auto& nodes = result.model.graph.nodes;
  // A graph output keeps its name for the dequantized value, which its readers read by that name.
  EXPECT_EQ(std::ranges::find(nodes, "Conv", &Node::op_type)->outputs[0],
            "conv_out_QuantizeLinear_Input");
  EXPECT_EQ(std::ranges::find(nodes, "Erf", &Node::op_type)->inputs[0], "conv_out");
  EXPECT_EQ(nodes.back().inputs.size() + nodes.back().outputs.size(), 2U);
  EXPECT_LE(testing::steps_apart(result), 1.01);
}

TEST(Quantize, SubgraphsReadTheDequantizedValueByItsOldName) {
  ModelBuilder body;
  body.output(body.node("Erf", {"conv_out"}, {}, "inner"), {1, 3, 2, 2});
  const auto branch = std::make_shared<const Graph>(body.build_unchecked().graph);
  ModelBuilder builder;
  builder.random_weight("w", {3, 3, 1, 1}, 1, 1);
  builder.input("condition", {}, DataType::boolean);
  builder.node("Conv", {builder.input("x", {1, 3, 2, 2}), "w"}, {}, "conv");
  const std::string chosen = builder.node(
      "If", {"condition"},
      {{.name = "then_branch", .value = branch}, {.name = "else_branch", .value = branch}}, "if");
  builder.output(chosen, {1, 3, 2, 2});
  const QuantizedModel result = quantized(builder.build());
  EXPECT_EQ(reason_of(result.layers, "if"),
            "control flow: the nodes of its bodies are quantized on their own");
  EXPECT_TRUE(is_quantized(result.layers, "conv"));
  EXPECT_LE(testing::steps_apart(result), 1.01);
}

TEST(Quantize, ElementwiseOperatorsAmongFloatOnesStayFloat) {
  // The Mul scales the scores of an attention, between a MatMul, which can write floats, and a
  // Softmax, which is faster in float.
  ModelBuilder builder;
  builder.constant("scale", Tensor::scalar(0.125F));
  const std::string scores = builder.node(
      "MatMul", {builder.input("a", {1, 4, 8}), builder.input("b", {1, 8, 4})}, {}, "scores");
  const std::string scaled = builder.node("Mul", {scores, "scale"}, {}, "scaled");
  const std::string soft = builder.node("Softmax", {scaled}, {}, "soft");
  const Model model = build_with_output(
      builder, builder.node("MatMul", {soft, builder.input("c", {1, 4, 8})}, {}, "mix"));
  const QuantizedModel result = quantized(model);
  EXPECT_FALSE(is_quantized(result.layers, "scaled"));
  EXPECT_FALSE(result.tensors.contains("scores_out"));
  EXPECT_FLOAT_EQ(result.tensors.at("soft_out").scales[0], 1.0F / 255);
  // An operator type that the user names is quantized.
  EXPECT_TRUE(is_quantized(quantized(model, {.extra_op_types = {"Mul"}}).layers, "scaled"));
  EXPECT_TRUE(is_quantized(quantized(model, {.extra_op_types = {"Softmax"}}).layers, "soft"));
}

TEST(Quantize, MasksStayFloat) {
  ModelBuilder builder;
  builder.random_weight("w", {3, 3, 1, 1}, 1, 1);
  builder.constant("mask", Tensor::scalar(-1e9F));
  const std::string conv = builder.node("Conv", {builder.input("x", {1, 3, 2, 2}), "w"});
  const QuantizedModel result =
      quantized(build_with_output(builder, builder.node("Add", {conv, "mask"}, {}, "add")));
  EXPECT_EQ(reason_of(result.layers, "add"),
            "its constant 'mask' is a mask whose values would take the whole range");
}

TEST(Quantize, NonFiniteConstantsLeaveTheirNodeFloat) {
  ModelBuilder builder;
  builder.random_weight("w", {3, 3, 1, 1}, 1, 1);
  builder.weight("bad", {3, 3, 1, 1},
                 {1, 2, 3, 4, 5, std::numeric_limits<float>::infinity(), 7, 8, 9});
  const std::string conv = builder.node("Conv", {builder.input("x", {1, 3, 2, 2}), "w"});
  const Model model = build_with_output(builder, builder.node("Conv", {conv, "bad"}, {}, "last"));
  EXPECT_EQ(reason_of(plan_layers(model, {}), "last"),
            "its constant 'bad' holds 0 NaN and 1 infinite values");
}

TEST(Quantize, NothingToQuantizeGivesAReasonPerOperatorType) {
  ModelBuilder builder;
  const Model model =
      build_with_output(builder, builder.node("Erf", {builder.input("x", {2})}, {}, "erf"));
  try {
    require_quantizable(model, {});
    FAIL();
  } catch (const InvalidInput& error) {
    EXPECT_STREQ(error.what(),
                 "quantize: there is nothing to quantize in the model (Erf (1): ONNX Runtime's CPU "
                 "provider has no integer kernel for it; extra_op_types_to_quantize can add it), "
                 "expected at least one operator; change the exclusions or add operator types with "
                 "extra_op_types_to_quantize");
  }
}

std::string nothing_to_quantize(const Model& model) {
  try {
    require_quantizable(model, {});
  } catch (const InvalidInput& error) {
    return error.what();
  }
  return "";
}

// The model imports no ONNX opset.
TEST(Quantize, AModelOfOtherDomainsHasNothingToQuantize) {
  ModelBuilder builder;
  builder.input("x", {1, 4});
  builder.add({.op_type = "Scaler",
               .domain = "ai.onnx.ml",
               .name = "scale",
               .inputs = {"x"},
               .outputs = {"y"},
               .attributes = {},
               .extra = ""});
  builder.output("y", {1, 4});
  Model model = builder.build_unchecked();
  model.opsets = {{"ai.onnx.ml", 3}};
  EXPECT_EQ(
      nothing_to_quantize(model),
      "quantize: there is nothing to quantize in the model (Scaler (1): operators of domain "
      "'ai.onnx.ml' are not quantized), expected at least one operator; keep the float model");
  EXPECT_EQ(plan_layers(model, {}).size(), 1U);
}

TEST(Quantize, TheMessageForAFloat16ModelNamesTheOption) {
  ModelBuilder builder;
  builder.input("x", {1, 2}, DataType::float16);
  const std::string weight = builder.constant("w", Tensor(DataType::float16, {2, 2}));
  builder.output(builder.node("MatMul", {"x", weight}, {}, "layer"), {1, 2}, DataType::float16);
  EXPECT_EQ(
      nothing_to_quantize(builder.build()),
      "quantize: there is nothing to quantize in the model (MatMul (1): its tensor 'x' is "
      "float16), expected at least one operator; set extra_options.ConvertFP16ToFP32 to true, "
      "which turns a float16 model into float32 first");
}

TEST(Quantize, AFloat32TableIsNotEnoughToQuantizeInAFloat16Model) {
  ModelBuilder builder;
  builder.input("ids", {1, 3}, DataType::int64);
  const std::string table = builder.constant("table", testing::random_tensor({1000, 64}, 1, -1, 1));
  const std::string rows = builder.node("Gather", {table, "ids"}, {}, "lookup");
  const std::string narrow = builder.node(
      "Cast", {rows}, {{.name = "to", .value = std::int64_t{10}}}, "narrow");  // FLOAT16
  const std::string weight = builder.constant("w", Tensor(DataType::float16, {64, 2}));
  builder.output(builder.node("MatMul", {narrow, weight}, {}, "layer"), {1, 3, 2},
                 DataType::float16);
  const Model model = builder.build();
  EXPECT_TRUE(is_quantized(plan_layers(model, {}), "lookup"));
  EXPECT_NE(nothing_to_quantize(model).find("set extra_options.ConvertFP16ToFP32 to true"),
            std::string::npos);
}

TEST(Quantize, UnsupportedTypesAndOpsetsAreErrors) {
  EXPECT_THROW((void)quantize_tiny({.activation_type = DataType::int4}), Unsupported);
  EXPECT_THROW((void)quantize_tiny({.weight_type = DataType::float16}), Unsupported);
  ModelBuilder builder(11);
  builder.random_weight("w", {3, 3, 1, 1}, 1, 1);
  const Model model =
      build_with_output(builder, builder.node("Conv", {builder.input("x", {1, 3, 2, 2}), "w"}));
  EXPECT_THROW((void)plan_layers(model, {.per_channel = true}), InvalidInput);
  EXPECT_NO_THROW((void)plan_layers(model, {}));
}

TEST(Quantize, PlanAndResultAgree) {
  const QuantizedModel result = quantize_tiny({});
  EXPECT_EQ(plan_layers(tiny_conv(), {}), result.layers);
}

TEST(Quantize, ThreadsDoNotChangeTheModel) {
  ThreadPool one(1);
  ThreadPool three(3);
  const QuantizeOptions options{.per_channel = true, .weight_range = WeightRange::mse};
  EXPECT_EQ(content_key(quantize(tiny_conv(), kTinyRanges, options, one).model),
            content_key(quantize(tiny_conv(), kTinyRanges, options, three).model));
}

/// A model with most patterns: a stem with Clip, a residual, squeeze-and-excite, and a head with
/// MatMul and bias.
Model mixed_model() {
  ModelBuilder builder;
  builder.constant("low", Tensor::scalar(0.0F));
  builder.constant("high", Tensor::scalar(1.5F));
  builder.random_weight("w1", {4, 3, 3, 3}, 0.3F, 1);
  builder.random_weight("w2", {4, 4, 1, 1}, 0.5F, 2);
  builder.random_weight("w3", {4, 4, 1, 1}, 0.5F, 3);
  builder.random_weight("w4", {4, 5}, 0.5F, 4);
  builder.random_weight("b4", {5}, 0.5F, 5);
  builder.random_weight("w5", {5, 3}, 0.5F, 6);
  const std::string stem =
      builder.node("Conv", {builder.input("x", {1, 3, 8, 8}), "w1"}, {}, "stem");
  const std::string bounded = builder.node("Clip", {stem, "low", "high"}, {}, "clip");
  const std::string branch = builder.node("Conv", {bounded, "w2"}, {}, "branch");
  const std::string sum =
      builder.node("Relu", {builder.node("Add", {bounded, branch}, {}, "sum")}, {}, "relu");
  const std::string pooled = builder.node("GlobalAveragePool", {sum}, {}, "pool");
  const std::string gate =
      builder.node("Sigmoid", {builder.node("Conv", {pooled, "w3"}, {}, "gate")}, {}, "sigmoid");
  const std::string gated = builder.node("Mul", {sum, gate}, {}, "gated");
  const std::string small =
      builder.node("MaxPool", {gated},
                   {{.name = "kernel_shape", .value = std::vector<std::int64_t>{2, 2}}}, "small");
  const std::string moved =
      builder.node("Transpose", {small},
                   {{.name = "perm", .value = std::vector<std::int64_t>{0, 2, 3, 1}}}, "moved");
  const std::string head =
      builder.node("Add", {builder.node("MatMul", {moved, "w4"}, {}, "head"), "b4"}, {}, "bias");
  const std::string active = builder.node("HardSigmoid", {head}, {}, "active");
  return build_with_output(builder, builder.node("MatMul", {active, "w5"}, {}, "last"));
}

/// Every configuration that excludes or adds an operator must find its ranges, load fully optimized
/// and give the same outputs as the unoptimized graph.
TEST(Quantize, EveryExclusionFindsItsRangesAndLoads) {
  const Model model = mixed_model();
  const Ranges ranges = testing::observed_ranges(model);
  ThreadPool pool(1);
  std::vector<QuantizeOptions> cases;
  for (const Node& node : model.graph.nodes) {
    cases.push_back({.exclude_nodes = {node.name}});
    cases.push_back({.activation_symmetric = true, .exclude_op_types = {node.op_type}});
    cases.push_back({.op_types = {node.op_type}});
    cases.push_back({.input_tensors = {node.name}});
    cases.push_back({.output_tensors = {node.name}});
  }
  cases.push_back({.extra_op_types = {"HardSigmoid", "Relu", "Clip"}});
  int done = 0;
  for (const QuantizeOptions& options : cases) {
    const QuantizedModel result = quantize(model, ranges, options, pool);
    if (std::ranges::none_of(result.layers, &LayerRecord::quantized)) continue;
    check_model(result.model);
    ASSERT_LE(testing::steps_apart(result, 1), 3) << done;
    ++done;
  }
  EXPECT_GT(done, 50);
}

}  // namespace
}  // namespace quantsearch
