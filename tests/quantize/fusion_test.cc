// Runs one small model per pattern of docs/placement.md that the placement relies on through ONNX
// Runtime's optimizer. When a later version fuses less, the failing test shows the rule to change.

#include <gtest/gtest.h>

#include "quantize/fixture.h"

namespace quantsearch {
namespace {

using testing::count_of;
using testing::fused_operators;
using testing::ModelBuilder;
using testing::quantized;
using testing::steps_apart;

Attribute pads_of_one() { return {.name = "pads", .value = std::vector<std::int64_t>{1, 1, 1, 1}}; }

std::string conv(ModelBuilder& builder, const std::string& input, std::int64_t from,
                 std::int64_t to, const std::string& name) {
  const std::string weight =
      builder.random_weight(name + ".w", {to, from, 3, 3}, 0.3F, 7 + name.size());
  const std::string bias = builder.random_weight(name + ".b", {to}, 0.5F, 9 + name.size());
  return builder.node("Conv", {input, weight, bias}, {pads_of_one()}, name);
}

std::string clip(ModelBuilder& builder, const std::string& input, float low, float high) {
  const std::string bounds = input + "_clip";
  builder.constant(bounds + ".low", Tensor::scalar(low));
  builder.constant(bounds + ".high", Tensor::scalar(high));
  return builder.node("Clip", {input, bounds + ".low", bounds + ".high"}, {}, "clip_" + input);
}

/// A Conv, the operators that `middle` adds, and another Conv.
template <typename Middle>
Model between_convs(const Middle& middle, std::int64_t channels_after = 4,
                    std::int64_t opset = 17) {
  ModelBuilder builder(opset);
  const std::string first = conv(builder, builder.input("x", {1, 3, 8, 8}), 3, 4, "first");
  const std::string inner = middle(builder, first);
  return testing::build_with_output(builder, conv(builder, inner, channels_after, 4, "last"));
}

struct Kernels {
  std::map<std::string, int> operators;
  [[nodiscard]] int operator[](const std::string& op) const {
    const auto found = operators.find(op);
    return found == operators.end() ? 0 : found->second;
  }
  [[nodiscard]] int float_nodes() const {
    int count = 0;
    for (const char* op :
         {"Conv", "FusedConv", "Gemm", "FusedGemm", "MatMul", "Relu", "Clip", "Add", "Mul",
          "Concat", "Sigmoid", "LeakyRelu", "GlobalAveragePool", "Where", "Pad"}) {
      count += (*this)[op];
    }
    return count;
  }
};

Kernels kernels_of(const QuantizedModel& model) { return {fused_operators(model.model)}; }

TEST(Fusion, ConvRunsOnIntegersForEveryEightBitType) {  // C1, C4, S1
  const Model model = between_convs([](ModelBuilder&, const std::string& x) { return x; });
  for (const DataType activation : {DataType::uint8, DataType::int8}) {
    for (const DataType weight : {DataType::int8, DataType::uint8}) {
      for (const bool per_channel : {false, true}) {
        for (const bool symmetric : {false, true}) {
          const QuantizedModel result =
              quantized(model, {.activation_type = activation,
                                .weight_type = weight,
                                .activation_symmetric = symmetric,
                                .weight_symmetric = weight == DataType::int8,
                                .per_channel = per_channel});
          EXPECT_EQ(kernels_of(result)["QLinearConv"], 2)
              << to_string(activation) << to_string(weight) << per_channel;
          EXPECT_LE(steps_apart(result), 1.01);
        }
      }
    }
  }
}

TEST(Fusion, ReluIsFusedIntoTheConv) {  // C10
  const Model model = between_convs(
      [](ModelBuilder& builder, const std::string& x) { return builder.node("Relu", {x}); });
  for (const DataType activation : {DataType::uint8, DataType::int8}) {
    const QuantizedModel result = quantized(model, {.activation_type = activation});
    EXPECT_EQ(kernels_of(result)["QLinearConv"], 2);
    EXPECT_EQ(kernels_of(result).float_nodes(), 0);
    // x, the output of the Relu and the output of the last Conv.
    EXPECT_EQ(count_of(result.model, "QuantizeLinear"), 3);
    EXPECT_LE(steps_apart(result), 1.01);
  }
}

TEST(Fusion, ClipIsFusedIntoTheConvForEveryRange) {  // C12
  for (const float high : {0.3F, 1.0F, 6.0F}) {
    const Model model = between_convs(
        [&](ModelBuilder& builder, const std::string& x) { return clip(builder, x, 0, high); });
    for (const DataType activation : {DataType::uint8, DataType::int8}) {
      const QuantizedModel result = quantized(model, {.activation_type = activation});
      EXPECT_EQ(kernels_of(result)["QLinearConv"], 2) << high;
      EXPECT_EQ(kernels_of(result).float_nodes(), 0) << high;
    }
  }
}

TEST(Fusion, SymmetricReluKeepsTheConvOnIntegers) {  // C17
  const Model model = between_convs(
      [](ModelBuilder& builder, const std::string& x) { return builder.node("Relu", {x}); });
  for (const DataType activation : {DataType::uint8, DataType::int8}) {
    const QuantizedModel result =
        quantized(model, {.activation_type = activation, .activation_symmetric = true});
    EXPECT_EQ(kernels_of(result)["QLinearConv"], 2);
    EXPECT_EQ(kernels_of(result)["Relu"], 1);
    EXPECT_EQ(result.tensors.at("first_out"), result.tensors.at("Relu1_out"));
    EXPECT_LE(steps_apart(result), 1.01);
  }
}

TEST(Fusion, SigmoidAndLeakyReluHaveIntegerKernels) {  // C18
  for (const char* op : {"Sigmoid", "LeakyRelu"}) {
    const Model model = between_convs(
        [&](ModelBuilder& builder, const std::string& x) { return builder.node(op, {x}); });
    const QuantizedModel result = quantized(model);
    EXPECT_EQ(kernels_of(result)[std::string("QLinear") + op], 1);
    EXPECT_EQ(kernels_of(result)["QLinearConv"], 2);
  }
}

TEST(Fusion, TheConvStaysOnIntegersBeforeOtherActivations) {  // C14, C15
  for (const char* op : {"Tanh", "HardSigmoid", "HardSwish", "Elu"}) {
    const Model model = between_convs(
        [&](ModelBuilder& builder, const std::string& x) { return builder.node(op, {x}); });
    EXPECT_EQ(kernels_of(quantized(model))["QLinearConv"], 2) << op;
  }
}

TEST(Fusion, MaxPoolAndLayoutOperatorsRunOnIntegers) {  // C20, P3, P6
  const Model model = between_convs([](ModelBuilder& builder, const std::string& x) {
    const std::string pooled =
        builder.node("MaxPool", {x},
                     {{.name = "kernel_shape", .value = std::vector<std::int64_t>{2, 2}},
                      {.name = "strides", .value = std::vector<std::int64_t>{2, 2}}});
    return builder.node("Transpose", {pooled},
                        {{.name = "perm", .value = std::vector<std::int64_t>{0, 1, 3, 2}}});
  });
  for (const DataType activation : {DataType::uint8, DataType::int8}) {
    const QuantizedModel result = quantized(model, {.activation_type = activation});
    EXPECT_EQ(kernels_of(result)["QLinearConv"], 2);
    EXPECT_EQ(kernels_of(result)["NhwcMaxPool"], 1);
    EXPECT_EQ(kernels_of(result)["QuantizeLinear"], 1);
    EXPECT_EQ(kernels_of(result)["DequantizeLinear"], 1);
    EXPECT_LE(steps_apart(result), 1.01);
  }
}

TEST(Fusion, APadMergesIntoTheConvAfterIt) {  // C22
  const Model model = between_convs([](ModelBuilder& builder, const std::string& x) {
    builder.constant("pads", Tensor::of<std::int64_t>({8}, {0, 0, 1, 1, 0, 0, 1, 1}));
    return builder.node("Pad", {x, "pads"});
  });
  const QuantizedModel result = quantized(model);
  EXPECT_EQ(kernels_of(result)["QLinearConv"], 2);
  EXPECT_EQ(kernels_of(result)["Pad"], 0);
  EXPECT_LE(steps_apart(result), 1.01);
}

TEST(Fusion, ConvTransposeStaysFloatAndItsNeighboursDoNot) {  // C23
  const Model model = between_convs([](ModelBuilder& builder, const std::string& x) {
    builder.random_weight("up.w", {4, 4, 2, 2}, 0.3F, 5);
    return builder.node("ConvTranspose", {x, "up.w"},
                        {{.name = "strides", .value = std::vector<std::int64_t>{2, 2}}}, "up");
  });
  const QuantizedModel result = quantized(model);
  EXPECT_EQ(kernels_of(result)["QLinearConv"], 2);
  EXPECT_EQ(testing::reason_of(result.layers, "up"),
            "ONNX Runtime's CPU provider has no integer kernel for it; extra_op_types_to_quantize "
            "can add it");
  const QuantizedModel all = quantized(model, {.extra_op_types = {"ConvTranspose"}});
  EXPECT_TRUE(testing::is_quantized(all.layers, "up"));
  EXPECT_LE(steps_apart(all), 1.01);
}

Model gemm_model(std::vector<Attribute> attributes, bool with_relu = false) {
  ModelBuilder builder;
  builder.input("x", {2, 8});
  builder.random_weight("w", {6, 8}, 0.4F, 3);
  builder.random_weight("b", {6}, 0.4F, 4);
  attributes.push_back({.name = "transB", .value = std::int64_t{1}});
  std::string y = builder.node("Gemm", {"x", "w", "b"}, std::move(attributes), "fc");
  if (with_relu) y = builder.node("Relu", {y}, {}, "relu");
  return testing::build_with_output(builder, y);
}

TEST(Fusion, GemmRunsOnIntegers) {  // G1, G4
  for (const bool per_channel : {false, true}) {
    for (const DataType activation : {DataType::uint8, DataType::int8}) {
      const QuantizeOptions options{.activation_type = activation, .per_channel = per_channel};
      EXPECT_EQ(kernels_of(quantized(gemm_model({}), options))["QGemm"], 1);
      const QuantizedModel relu = quantized(gemm_model({}, true), options);
      EXPECT_EQ(kernels_of(relu)["QGemm"], 1);
      EXPECT_EQ(kernels_of(relu).float_nodes(), 0);
      EXPECT_LE(steps_apart(relu), 1.01);
    }
  }
}

TEST(Fusion, AlphaAndBetaAreMultipliedIntoTheConstants) {  // G5
  const Model model =
      gemm_model({{.name = "alpha", .value = 0.5F}, {.name = "beta", .value = 2.0F}});
  for (const bool quantize_bias : {false, true}) {
    const QuantizedModel result = quantized(model, {.quantize_bias = quantize_bias});
    EXPECT_EQ(kernels_of(result)["QGemm"], 1);
    const Batch inputs = testing::random_inputs(model, 100);  // the ranges are from these inputs
    const Tensor expected = open_session(model)->run(inputs).at("fc_out");
    const Tensor actual = open_session(result.model)->run(inputs).at("fc_out");
    for (std::size_t at = 0; at < 12; ++at) {
      EXPECT_NEAR(actual.values<float>()[at], expected.values<float>()[at], 0.03) << at;
    }
  }
}

Model matmul_model(const Shape& shape, bool bias, bool bias_first, std::int64_t opset,
                   bool float_reader = false) {
  ModelBuilder builder(opset);
  builder.input("x", shape);
  builder.random_weight("w", {8, 6}, 0.4F, 3);
  builder.random_weight("b", {6}, 0.4F, 4);
  std::string y = builder.node("MatMul", {"x", "w"}, {}, "matmul");
  if (bias)
    y = builder.node(
        "Add", bias_first ? std::vector<std::string>{"b", y} : std::vector<std::string>{y, "b"}, {},
        "add");
  if (float_reader) y = builder.node("Erf", {y}, {}, "erf");
  return testing::build_with_output(builder, y);
}

TEST(Fusion, MatMulRunsOnIntegers) {  // M1
  for (const bool per_channel : {false, true}) {
    for (const DataType activation : {DataType::uint8, DataType::int8}) {
      const QuantizedModel result =
          quantized(matmul_model({2, 3, 8}, false, false, 17),
                    {.activation_type = activation, .per_channel = per_channel});
      EXPECT_EQ(kernels_of(result)["QLinearMatMul"], 1);
      EXPECT_LE(steps_apart(result), 1.01);
    }
  }
}

TEST(Fusion, MatMulWithBiasBecomesOneGemm) {  // M3, S6, S7
  for (const Shape& shape : {Shape{2, 8}, Shape{2, 3, 8}}) {
    for (const std::int64_t opset : {13, 17, 21}) {
      for (const DataType activation : {DataType::uint8, DataType::int8}) {
        for (const bool bias_first : {false, true}) {
          for (const bool quantize_bias : {false, true}) {
            const QuantizedModel result = quantized(matmul_model(shape, true, bias_first, opset),
                                                    {.activation_type = activation,
                                                     .per_channel = bias_first,
                                                     .quantize_bias = quantize_bias});
            EXPECT_EQ(kernels_of(result)["QGemm"], 1)
                << to_string(shape) << opset << to_string(activation) << bias_first
                << quantize_bias;
            EXPECT_EQ(kernels_of(result)["Add"], 0);
            EXPECT_LE(steps_apart(result), 1.01);
          }
        }
      }
    }
  }
}

TEST(Fusion, MatMulBeforeAFloatOperatorNeedsNoQuantizedOutput) {  // M2, G3
  const QuantizedModel plain = quantized(matmul_model({2, 3, 8}, false, false, 17, true));
  EXPECT_EQ(kernels_of(plain)["MatMulIntegerToFloat"], 1);
  EXPECT_FALSE(plain.tensors.contains("matmul_out"));
  const QuantizedModel biased = quantized(matmul_model({2, 8}, true, false, 17, true));
  EXPECT_EQ(kernels_of(biased)["QGemm"], 1);
  EXPECT_FALSE(biased.tensors.contains("add_out"));
}

TEST(Fusion, MatMulOfTwoActivationsRunsOnIntegers) {  // M1
  ModelBuilder builder;
  builder.input("a", {1, 4, 8});
  builder.input("b", {1, 8, 5});
  EXPECT_EQ(kernels_of(quantized(testing::build_with_output(
                builder, builder.node("MatMul", {"a", "b"}, {}, "matmul"))))["QLinearMatMul"],
            1);
}

TEST(Fusion, AddAndMulWithConstantsRunOnIntegers) {  // E1, E2
  for (const char* op : {"Add", "Mul"}) {
    for (const DataType activation : {DataType::uint8, DataType::int8}) {
      const Model model = between_convs([&](ModelBuilder& builder, const std::string& x) {
        builder.constant("c", Tensor::scalar(0.7F));
        return builder.node(op, {x, "c"});
      });
      const QuantizedModel result = quantized(model, {.activation_type = activation});
      EXPECT_EQ(kernels_of(result)[std::string("QLinear") + op], 1) << to_string(activation);
      EXPECT_EQ(kernels_of(result)["QLinearConv"], 2) << to_string(activation);
      EXPECT_LE(steps_apart(result), 1.01);
    }
  }
}

Model residual_model() {
  return between_convs([](ModelBuilder& builder, const std::string& x) {
    const std::string branch = conv(builder, x, 4, 4, "branch");
    return builder.node("Relu", {builder.node("Add", {x, branch}, {}, "add")}, {}, "relu");
  });
}

TEST(Fusion, AResidualRunsOnIntegersWithUint8) {  // S4, E3
  const QuantizedModel result = quantized(residual_model());
  EXPECT_EQ(kernels_of(result)["QLinearConv"], 3);
  EXPECT_EQ(kernels_of(result)["QLinearAdd"], 1);
  EXPECT_EQ(kernels_of(result).float_nodes(), 0);
}

TEST(Fusion, RecordsOfAnInt8ResidualShowWhichLayersRunInFloat) {  // S2
  const QuantizedModel result = quantized(residual_model(), {.activation_type = DataType::int8});
  EXPECT_EQ(result.tensors.at("first_out").type, DataType::int8);
  EXPECT_EQ(testing::reason_of(result.layers, "first"),
            "its int8 tensor 'first_out' is read 2 times, which ONNX Runtime runs in float; uint8 "
            "activations avoid it");
  EXPECT_NE(testing::reason_of(result.layers, "add"), "");
  EXPECT_EQ(testing::reason_of(result.layers, "last"), "");
  const Kernels kernels = kernels_of(result);
  EXPECT_EQ(kernels["QLinearConv"], 1);
  EXPECT_LE(steps_apart(result), 1.01);
}

TEST(Fusion, SqueezeAndExciteRunsOnIntegers) {  // A9, P9
  const Model model = between_convs([](ModelBuilder& builder, const std::string& x) {
    builder.random_weight("se.w", {4, 4, 1, 1}, 0.5F, 3);
    const std::string pooled = builder.node("GlobalAveragePool", {x});
    const std::string gate = builder.node("Sigmoid", {builder.node("Conv", {pooled, "se.w"})});
    return builder.node("Mul", {x, gate});
  });
  const QuantizedModel result = quantized(model);
  EXPECT_EQ(kernels_of(result).float_nodes(), 0);
  EXPECT_EQ(kernels_of(result)["QLinearGlobalAveragePool"], 1);
  EXPECT_EQ(kernels_of(result)["QuantizeLinear"], 1);
}

TEST(Fusion, HardSwishInPartsRunsOnIntegers) {  // A5
  const Model model = between_convs([](ModelBuilder& builder, const std::string& x) {
    builder.constant("three", Tensor::scalar(3.0F));
    builder.constant("sixth", Tensor::scalar(1.0F / 6));
    const std::string gate = clip(builder, builder.node("Add", {x, "three"}), 0, 6);
    return builder.node("Mul", {builder.node("Mul", {x, gate}), "sixth"});
  });
  const QuantizedModel result = quantized(model);
  EXPECT_EQ(kernels_of(result).float_nodes(), 0);
  EXPECT_EQ(kernels_of(result)["QLinearMul"], 2);
  EXPECT_LE(steps_apart(result), 2.01);
}

TEST(Fusion, ConcatRunsOnIntegersWithUnequalScales) {  // P1
  const Model model = between_convs(
      [](ModelBuilder& builder, const std::string& x) {
        const std::string other = builder.node("Relu", {conv(builder, x, 4, 4, "branch")});
        return builder.node("Concat", {x, other}, {{.name = "axis", .value = std::int64_t{1}}});
      },
      8);
  const QuantizedModel result = quantized(model);
  EXPECT_EQ(kernels_of(result)["QLinearConcat"], 1);
  EXPECT_EQ(kernels_of(result).float_nodes(), 0);
}

TEST(Fusion, WhereRunsOnIntegers) {  // E6
  ModelBuilder builder;
  builder.input("mask", {1, 4, 8, 8}, DataType::boolean);
  const std::string first = conv(builder, builder.input("x", {1, 3, 8, 8}), 3, 4, "first");
  builder.constant("zero", Tensor::scalar(0.0F));
  EXPECT_EQ(kernels_of(quantized(testing::build_with_output(
                builder, conv(builder, builder.node("Where", {"mask", first, "zero"}), 4, 4,
                              "last"))))["QLinearWhere"],
            1);
}

TEST(Fusion, NearestResizeRunsOnIntegersAndLinearDoesNot) {  // P7
  for (const char* mode : {"nearest", "linear"}) {
    const Model model = between_convs([&](ModelBuilder& builder, const std::string& x) {
      builder.constant("scales", Tensor::of<float>({4}, {1, 1, 2, 2}));
      return builder.node("Resize", {x, "", "scales"},
                          {{.name = "mode", .value = std::string(mode)}}, "resize");
    });
    const QuantizedModel result = quantized(model);
    EXPECT_EQ(kernels_of(result)["QLinearConv"], 2);
    EXPECT_EQ(testing::is_quantized(result.layers, "resize"), std::string(mode) == "nearest");
    EXPECT_EQ(kernels_of(result)["QuantizeLinear"], std::string(mode) == "nearest" ? 1 : 2);
  }
}

TEST(Fusion, LayoutOperatorsBeforeMatMulLoadAtEveryOpset) {  // S6, S8
  for (const std::int64_t opset : {13, 17, 21}) {
    for (const DataType activation : {DataType::uint8, DataType::int8}) {
      ModelBuilder builder(opset);
      const std::string first = conv(builder, builder.input("x", {1, 3, 4, 4}), 3, 4, "first");
      builder.random_weight("w", {64, 5}, 0.2F, 3);
      const std::string flat = builder.node("Flatten", {first}, {}, "flatten");
      const QuantizedModel result = quantized(
          testing::build_with_output(builder, builder.node("MatMul", {flat, "w"}, {}, "matmul")),
          {.activation_type = activation});
      EXPECT_EQ(kernels_of(result)["QLinearConv"], 1);
      EXPECT_EQ(kernels_of(result)["QLinearMatMul"], 1) << opset << to_string(activation);
      EXPECT_LE(steps_apart(result), 1.01);
    }
  }
}

TEST(Fusion, SixteenBitModelsLoadAtEveryOpset) {  // S11
  for (const std::int64_t opset : {13, 17, 21}) {
    for (const DataType activation : {DataType::uint16, DataType::int16}) {
      for (const DataType weight : {DataType::int8, DataType::int16}) {
        const Model model = between_convs(
            [](ModelBuilder& builder, const std::string& x) {
              return builder.node("Relu", {x}, {}, "relu");
            },
            4, opset);
        const QuantizedModel result =
            quantized(model, {.activation_type = activation, .weight_type = weight});
        check_model(result.model);
        EXPECT_LE(steps_apart(result), 1.01);
        EXPECT_EQ(result.model.opset(), opset);
        EXPECT_EQ(result.model.opsets.contains("com.microsoft"), opset < 21);
        EXPECT_EQ(testing::reason_of(result.layers, "first"),
                  "ONNX Runtime's CPU provider computes " + to_string(activation) +
                      " activations in float");
      }
    }
  }
}

TEST(Fusion, OnlyWideTensorsMoveToTheContributedDomain) {
  const Model model = between_convs([](ModelBuilder&, const std::string& x) { return x; });
  const QuantizedModel result = quantized(model, {.activation_type = DataType::int16});
  for (const Node& node : result.model.graph.nodes) {
    const bool wide = node.op_type == "QuantizeLinear" ||
                      node.name.find("_out") != std::string::npos || node.name[0] == 'x';
    if (node.op_type == "DequantizeLinear" || node.op_type == "QuantizeLinear") {
      EXPECT_EQ(node.domain, wide ? "com.microsoft" : "") << node.name;
    }
  }
}

}  // namespace
}  // namespace quantsearch
