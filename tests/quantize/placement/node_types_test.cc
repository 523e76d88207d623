#include "quantize/placement/node_types.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "quantize/fixture.h"

namespace quantsearch {
namespace {

using testing::count_of;
using testing::fused_operators;
using testing::ModelBuilder;
using testing::quantized;
using testing::reason_of;
using testing::steps_apart;

constexpr NodeFormat kSixteen{.activation = DataType::uint16, .weight = {}, .keep_float = false};

std::string conv(ModelBuilder& builder, const std::string& input, const std::string& name) {
  const std::string weight = builder.random_weight(name + ".w", {3, 3, 1, 1}, 1, name.size());
  const std::string bias = builder.random_weight(name + ".b", {3}, 1, 3 + name.size());
  return builder.node("Conv", {input, weight, bias}, {}, name);
}

/// x → first → second → third.
Model chain(std::int64_t opset = 17) {
  ModelBuilder builder(opset);
  std::string tensor = builder.input("x", {1, 3, 4, 4});
  for (const char* name : {"first", "second", "third"}) tensor = conv(builder, tensor, name);
  return testing::build_with_output(builder, tensor);
}

/// x → first → second and third → sum, optionally with an operator `through` after first.
Model fork(const std::string& through = "") {
  ModelBuilder builder;
  std::string shared = conv(builder, builder.input("x", {1, 3, 4, 4}), "first");
  if (!through.empty()) shared = builder.node(through, {shared}, {}, "through");
  const std::string left = conv(builder, shared, "second");
  const std::string right = conv(builder, shared, "third");
  return testing::build_with_output(builder, builder.node("Add", {left, right}, {}, "sum"));
}

Plan plan_of(const Model& model, const QuantizeOptions& options) {
  return make_plan(model, GraphIndex(model.graph), options);
}

std::vector<DataType> types_of(const Plan& plan, const std::string& tensor) {
  return plan.pairs.at(tensor).types;
}

using Types = std::vector<DataType>;

TEST(NodeTypes, WithoutFormatsEveryPairHasTheSameType) {
  const Plan plan = plan_of(chain(), {.activation_type = DataType::int8});
  for (const char* tensor : {"x", "first_out", "second_out", "third_out"}) {
    EXPECT_EQ(types_of(plan, tensor), Types{DataType::int8});
  }
}

TEST(NodeTypes, TheFormatOfANodeIsTheTypeOfItsInputs) {
  const Plan plan = plan_of(chain(), {.node_formats = {{"second", kSixteen}}});
  EXPECT_EQ(types_of(plan, "x"), Types{DataType::uint8});
  EXPECT_EQ(types_of(plan, "first_out"), Types{DataType::uint16});
  EXPECT_EQ(types_of(plan, "second_out"), Types{DataType::uint8});  // as third reads it
}

TEST(NodeTypes, ATensorWithoutQuantizedReadersHasItsProducersType) {
  const Plan plan = plan_of(chain(), {.node_formats = {{"third", kSixteen}}});
  EXPECT_EQ(types_of(plan, "third_out"), Types{DataType::uint16});  // the graph's output
}

TEST(NodeTypes, ReadersOfDifferentTypesGetOnePairEach) {
  const QuantizedModel result = quantized(fork(), {.node_formats = {{"third", kSixteen}}});
  check_model(result.model);
  const TensorParams& wide = result.tensors.at("first_out");
  const TensorParams& narrow = result.narrower.at("first_out").at(0);
  EXPECT_EQ(wide.type, DataType::uint16);
  EXPECT_EQ(narrow.type, DataType::uint8);
  // The range is the same, so 65535 steps of one are 255 steps of the other.
  EXPECT_NEAR(narrow.scales[0] / wide.scales[0], 257.0, 0.1);
  // Both pairs quantize the float value.
  const auto& nodes = result.model.graph.nodes;
  EXPECT_EQ(std::ranges::count_if(nodes,
                                  [](const Node& node) {
                                    return node.op_type == "QuantizeLinear" &&
                                           node.inputs[0] == "first_out";
                                  }),
            2);
  EXPECT_LE(steps_apart(result), 1.01);
}

TEST(NodeTypes, ReadersOfOneTypeShareTheirPair) {
  const QuantizedModel result =
      quantized(fork(), {.node_formats = {{"second", kSixteen}, {"third", kSixteen}}});
  EXPECT_TRUE(result.narrower.empty());
  // x, first_out, second_out, third_out, sum.
  EXPECT_EQ(count_of(result.model, "QuantizeLinear"), 5);
}

TEST(NodeTypes, DataMovementTakesTheWidestTypeOfItsReaders) {
  ModelBuilder builder;
  const std::string first = conv(builder, builder.input("x", {1, 3, 4, 4}), "first");
  const std::string moved = builder.node("Transpose", {first}, {}, "move");
  builder.constant("shape", Tensor::of<std::int64_t>({4}, std::vector<std::int64_t>{1, 3, 4, 4}));
  const std::string shaped = builder.node("Reshape", {moved, "shape"}, {}, "shape_it");
  const std::string left = conv(builder, shaped, "second");
  const std::string right = conv(builder, shaped, "third");
  const Model model =
      testing::build_with_output(builder, builder.node("Add", {left, right}, {}, "sum"));
  const Plan mixed = plan_of(model, {.node_formats = {{"third", kSixteen}}});
  EXPECT_EQ(types_of(mixed, "first_out"), Types{DataType::uint16});
  EXPECT_EQ(types_of(mixed, "move_out"), Types{DataType::uint16});
  EXPECT_EQ(types_of(mixed, "shape_it_out"), (Types{DataType::uint16, DataType::uint8}));
  // Both pairs of one type around each operator have the same parameters.
  const QuantizedModel result = quantized(model, {.node_formats = {{"third", kSixteen}}});
  EXPECT_EQ(result.tensors.at("first_out"), result.tensors.at("move_out"));
  EXPECT_EQ(result.tensors.at("move_out"), result.tensors.at("shape_it_out"));
  check_model(result.model);
  EXPECT_LE(steps_apart(result), 1.01);
}

TEST(NodeTypes, DataMovementWithoutReadersTakesTheTypeOfItsInput) {
  ModelBuilder builder;
  const std::string first = conv(builder, builder.input("x", {1, 3, 4, 4}), "first");
  const Model model =
      testing::build_with_output(builder, builder.node("Transpose", {first}, {}, "move"));
  const Plan plan = plan_of(model, {.node_formats = {{"first", kSixteen}}});
  EXPECT_EQ(types_of(plan, "first_out"), Types{DataType::uint16});
  EXPECT_EQ(types_of(plan, "move_out"), Types{DataType::uint16});
}

TEST(NodeTypes, AReluIsFoldedAfterAProducerOfAnotherType) {
  ModelBuilder builder;
  const std::string first = conv(builder, builder.input("x", {1, 3, 4, 4}), "first");
  const Model model = testing::build_with_output(
      builder, conv(builder, builder.node("Relu", {first}, {}, "relu"), "second"));
  for (const bool symmetric : {false, true}) {
    const QuantizedModel result = quantized(
        model, {.activation_symmetric = symmetric, .node_formats = {{"second", kSixteen}}});
    check_model(result.model);
    EXPECT_EQ(result.tensors.at("relu_out").type, DataType::uint16);
    EXPECT_LE(steps_apart(result), 1.01);
  }
}

TEST(NodeTypes, WeightsAreQuantizedFromFloatInTheNodesType) {
  const NodeFormat format{.activation = {}, .weight = DataType::int16, .keep_float = false};
  const QuantizedModel result = quantized(chain(), {.node_formats = {{"second", format}}});
  EXPECT_EQ(result.tensors.at("first.w").type, DataType::int8);
  EXPECT_EQ(result.tensors.at("second.w").type, DataType::int16);
  const Model model = chain();
  const QuantizedTensor expected =
      quantize_weight(*model.graph.find_initializer("second.w"), {.type = DataType::int16});
  EXPECT_EQ(*result.model.graph.find_initializer("second.w_quantized"), expected.integers);
  check_model(result.model);
  EXPECT_LE(steps_apart(result), 1.01);
}

TEST(NodeTypes, AWeightReadInTwoTypesIsStoredInBoth) {
  ModelBuilder builder;
  builder.random_weight("w", {3, 3, 1, 1}, 1, 1);
  const std::string first =
      builder.node("Conv", {builder.input("x", {1, 3, 4, 4}), "w"}, {}, "first");
  const Model model =
      testing::build_with_output(builder, builder.node("Conv", {first, "w"}, {}, "second"));
  const NodeFormat format{.activation = {}, .weight = DataType::int16, .keep_float = false};
  const QuantizedModel result = quantized(model, {.node_formats = {{"second", format}}});
  EXPECT_EQ(result.model.graph.find_initializer("w_quantized")->type(), DataType::int8);
  EXPECT_EQ(result.model.graph.find_initializer("w_quantized_1")->type(), DataType::int16);
}

TEST(NodeTypes, TheScaleOfABiasFollowsTheTypeOfTheInput) {
  const QuantizedModel result = quantized(fork(), {.node_formats = {{"third", kSixteen}}});
  const auto product = [&](const TensorParams& input, const std::string& weight) {
    return input.scales[0] * result.tensors.at(weight).scales[0];
  };
  EXPECT_EQ(result.tensors.at("second.b").scales[0],
            product(result.narrower.at("first_out")[0], "second.w"));
  EXPECT_EQ(result.tensors.at("third.b").scales[0],
            product(result.tensors.at("first_out"), "third.w"));
}

TEST(NodeTypes, AConstantOperandFollowsItsNode) {
  ModelBuilder builder;
  const std::string first = conv(builder, builder.input("x", {1, 3, 4, 4}), "first");
  const std::string factor = builder.random_weight("factor", {1, 3, 1, 1}, 1, 5);
  const Model model =
      testing::build_with_output(builder, builder.node("Mul", {first, factor}, {}, "scaled"));
  EXPECT_EQ(quantized(model).tensors.at("factor").type, DataType::uint8);
  EXPECT_EQ(quantized(model, {.node_formats = {{"scaled", kSixteen}}}).tensors.at("factor").type,
            DataType::uint16);
}

TEST(NodeTypes, KeepFloatEqualsAnExclusion) {
  const QuantizeOptions by_format{
      .node_formats = {{"second", {.activation = {}, .weight = {}, .keep_float = true}}}};
  const QuantizeOptions by_name{.exclude_nodes = {"second"}};
  EXPECT_EQ(quantized(chain(), by_format).model, quantized(chain(), by_name).model);
  EXPECT_EQ(reason_of(plan_layers(chain(), by_format), "second"), "kept float by its format");
}

TEST(NodeTypes, OneFormatForAllNodesEqualsTheOption) {
  QuantizeOptions formats;
  for (const char* node : {"first", "second", "third", "sum"})
    formats.node_formats[node] = kSixteen;
  // The graph's input is read by 'first', so nothing keeps the type of the options.
  EXPECT_EQ(quantized(fork(), formats).model,
            quantized(fork(), {.activation_type = DataType::uint16}).model);
}

TEST(NodeTypes, OnlySixteenBitPairsBelowOpset21AreOfTheContributedDomain) {
  const QuantizedModel old = quantized(chain(17), {.node_formats = {{"second", kSixteen}}});
  const QuantizedModel recent = quantized(chain(21), {.node_formats = {{"second", kSixteen}}});
  const auto contributed = [](const QuantizedModel& model) {
    return std::ranges::count(model.model.graph.nodes, "com.microsoft", &Node::domain);
  };
  EXPECT_EQ(contributed(old), 2);  // the one 16-bit pair
  EXPECT_EQ(contributed(recent), 0);
  check_model(old.model);
  check_model(recent.model);
  EXPECT_LE(steps_apart(recent), 1.01);
}

TEST(NodeTypes, RangesMayDifferByType) {
  const Model model = fork();
  const Ranges wide = testing::observed_ranges(model);
  Ranges narrow = wide;
  for (auto& [tensor, range] : narrow) range = {.low = range.low / 2, .high = range.high / 2};
  ThreadPool pool(1);
  const QuantizedModel result =
      quantize(model, {.ranges = {{DataType::uint8, narrow}, {DataType::uint16, wide}}},
               {.node_formats = {{"third", kSixteen}}}, pool);
  EXPECT_NEAR(
      result.narrower.at("first_out")[0].scales[0] / result.tensors.at("first_out").scales[0],
      257.0 / 2, 0.1);
}

TEST(NodeTypes, RecordsShowWhichNodesRunInFloatBecauseOfMixedTypes) {
  const QuantizedModel result = quantized(chain(), {.node_formats = {{"second", kSixteen}}});
  EXPECT_EQ(
      reason_of(result.layers, "first"),
      "it reads uint8 and its output 'first_out' is uint16, which ONNX Runtime runs in float");
  EXPECT_EQ(reason_of(result.layers, "second"),
            "ONNX Runtime's CPU provider computes uint16 activations in float");
  EXPECT_EQ(reason_of(result.layers, "third"), "");
  const auto operators = fused_operators(result.model);
  EXPECT_EQ(operators.at("QLinearConv"), 1);
}

TEST(NodeTypes, AnOutputReadInTwoTypesKeepsItsConvInFloat) {
  const QuantizedModel result = quantized(fork(), {.node_formats = {{"third", kSixteen}}});
  EXPECT_EQ(reason_of(result.layers, "first"),
            "its output 'first_out' is read as uint16 and uint8, which ONNX Runtime runs in float");
  EXPECT_EQ(reason_of(result.layers, "second"), "");
  EXPECT_EQ(fused_operators(result.model).at("QLinearConv"), 1);
}

TEST(NodeTypes, RecordsOfMatMulAndGemmMatchTheRuntime) {
  for (const char* const op : {"MatMul", "Gemm"}) {
    for (const bool with_bias : {false, true}) {
      for (const std::vector<std::int64_t>& shape :
           {std::vector<std::int64_t>{2, 6}, {2, 3, 6}, {-1, 3, 6}}) {
        if (shape.size() == 3 && std::string_view(op) == "Gemm") continue;
        ModelBuilder builder;
        builder.random_weight("w", {6, 6}, 1, 1);
        builder.random_weight("v", {6, 6}, 1, 2);
        builder.random_weight("b", {6}, 1, 3);
        const std::string x = builder.input("x", shape);
        const bool is_gemm = std::string_view(op) == "Gemm";
        std::string product = with_bias && is_gemm ? builder.node(op, {x, "w", "b"}, {}, "first")
                                                   : builder.node(op, {x, "w"}, {}, "first");
        if (with_bias && !is_gemm) product = builder.node("Add", {product, "b"}, {}, "bias");
        const Model model = testing::build_with_output(
            builder, builder.node("MatMul", {product, "v"}, {}, "second"));
        const QuantizedModel result = quantized(model, {.node_formats = {{"second", kSixteen}}});
        EXPECT_EQ(report_kernels(optimized_model(result.model)).float_compute,
                  testing::float_forecast(result.layers))
            << op << with_bias << shape.size() << shape[0];
      }
    }
  }
}

std::string error_of(const Model& model, const QuantizeOptions& options) {
  try {
    (void)quantized(model, options);
  } catch (const std::exception& error) {
    return error.what();
  }
  return "no error";
}

TEST(NodeTypes, InvalidFormatsAreErrors) {
  EXPECT_EQ(error_of(chain(), {.node_formats = {{"secnd", kSixteen}}}),
            "quantize: option 'node_formats': unknown node 'secnd'; nearest known: 'second'");
  EXPECT_EQ(error_of(chain(), {.node_formats = {{"second", {}}}}),
            "quantize: option 'node_formats['second']' is empty, expected activation_type, "
            "weight_type or both, or Float alone");
  EXPECT_EQ(
      error_of(
          chain(),
          {.node_formats = {{"second",
                             {.activation = DataType::int8, .weight = {}, .keep_float = true}}}}),
      "quantize: option 'node_formats['second']' has types and Float, expected activation_type, "
      "weight_type or both, or Float alone");
  EXPECT_EQ(error_of(chain(), {.node_formats = {{"second",
                                                 {.activation = DataType::float16,
                                                  .weight = {},
                                                  .keep_float = false}}}}),
            "quantize: option 'node_formats['second']' is float16, expected int8, uint8, int16 or "
            "uint16");
  EXPECT_EQ(
      error_of(
          fork(),
          {.node_formats = {{"sum",
                             {.activation = {}, .weight = DataType::int16, .keep_float = false}}}}),
      "quantize: option 'node_formats': node 'sum' has no constant weight, so no weight type");
  EXPECT_EQ(
      error_of(fork("Relu"), {.node_formats = {{"through", kSixteen}}}),
      "quantize: option 'node_formats': node 'through' is a Relu, which takes the type of the "
      "values it passes on; give its readers the format");
  ThreadPool pool(1);
  try {
    (void)quantize(chain(), {.ranges = {{DataType::uint8, testing::observed_ranges(chain())}}},
                   {.node_formats = {{"second", kSixteen}}}, pool);
    FAIL();
  } catch (const InvalidInput& error) {
    EXPECT_STREQ(error.what(),
                 "quantize: there are no ranges for uint16 activations, expected some for every "
                 "type in use");
  }
}

}  // namespace
}  // namespace quantsearch
