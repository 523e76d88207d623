// Tests HardSigmoid and HardSwish as integer Add and Mul.

#include <gtest/gtest.h>

#include <cmath>

#include "quantize/fixture.h"

namespace quantsearch {
namespace {

using testing::build_with_output;
using testing::fused_operators;
using testing::ModelBuilder;
using testing::quantized;
using testing::reason_of;
using testing::steps_apart;

/// Conv, the activation, Conv.
Model conv_activation_conv(const std::string& op_type, std::vector<Attribute> attributes = {}) {
  ModelBuilder builder;
  builder.random_weight("v", {8, 4, 1, 1}, 2, 1);
  builder.random_weight("w", {4, 8, 1, 1}, 1, 2);
  const std::string conv = builder.node("Conv", {builder.input("x", {1, 4, 6, 6}), "v"});
  const std::string active = builder.node(op_type, {conv}, std::move(attributes), "active");
  return build_with_output(builder, builder.node("Conv", {active, "w"}));
}

/// Relu-free reference of the two operators by their definition.
double hard_sigmoid(double x, double slope = 1.0 / 6, double shift = 0.5) {
  return std::min(1.0, std::max(0.0, slope * x + shift));
}

/// The quantized model of `op_type` behind a Conv that multiplies by one, at `x`. Input and output
/// have steps of 1/16 and ranges that hold every value, so that the result is known to half a step
/// of the input, gate and output.
float result_at(const std::string& op_type, float x, std::vector<Attribute> attributes = {}) {
  ModelBuilder builder;
  builder.weight("one", {1, 1, 1, 1}, {1});
  const std::string conv =
      builder.node("Conv", {builder.input("x", {1, 1, 1, 1}), "one"}, {}, "conv");
  const Model model =
      build_with_output(builder, builder.node(op_type, {conv}, std::move(attributes), "active"));
  ThreadPool pool(1);
  const Range wide = {.low = -8, .high = 127.0 / 16};
  const QuantizedModel made =
      quantize(model, {{"x", wide}, {"conv_out", wide}, {"active_out", wide}}, {}, pool);
  const Batch outputs =
      open_session(made.model)->run({{"x", Tensor::of<float>({1, 1, 1, 1}, {x})}});
  return outputs.begin()->second.values<float>()[0];
}

TEST(HardActivations, RunOnIntegersBetweenConvs) {
  for (const char* op : {"HardSigmoid", "HardSwish"}) {
    const QuantizedModel result = quantized(conv_activation_conv(op));
    auto kernels = fused_operators(result.model);
    EXPECT_EQ(kernels["QLinearConv"], 2) << op;
    EXPECT_EQ(kernels["QLinearAdd"], 1) << op;
    EXPECT_EQ(kernels["QLinearMul"], op == std::string("HardSwish") ? 1 : 0) << op;
    EXPECT_EQ(kernels["QuantizeLinear"], 1) << op;
    EXPECT_EQ(kernels["DequantizeLinear"], 1) << op;
    EXPECT_LE(steps_apart(result), 1.01) << op;
    EXPECT_EQ(reason_of(result.layers, "active"), "") << op;
  }
}

TEST(HardActivations, HardSwishIsItsDefinition) {
  for (const float x : {-7.5F, -3.0F, -2.0F, -1.0F, 0.0F, 0.5F, 2.0F, 3.0F, 7.0F}) {
    // Half a step of the output, and half a step of the gate times x.
    const double allowed = 1.0 / 32 + std::abs(x) / 510 + 1e-4;
    EXPECT_NEAR(result_at("HardSwish", x), x * hard_sigmoid(x), allowed) << x;
  }
}

TEST(HardActivations, HardSigmoidIsItsDefinitionWithAnySlope) {
  const auto number = [](const std::string& name, float value) {
    return Attribute{.name = name, .value = value};
  };
  for (const float x : {-7.5F, -3.0F, -1.0F, 0.0F, 0.5F, 2.0F, 7.0F}) {
    const double half_a_step = 1.0 / 510 + 1e-4;
    EXPECT_NEAR(result_at("HardSigmoid", x), hard_sigmoid(x, 0.2), half_a_step) << x;
    EXPECT_NEAR(result_at("HardSigmoid", x, {number("alpha", 1.0F / 6), number("beta", 0.5F)}),
                hard_sigmoid(x), half_a_step)
        << x;
    EXPECT_NEAR(result_at("HardSigmoid", x, {number("alpha", 0.5F), number("beta", 0.25F)}),
                hard_sigmoid(x, 0.5, 0.25), half_a_step)
        << x;
  }
}

/// A gate that rises to 1 from a positive value at x = 0 only is no saturating Add of a constant.
TEST(HardActivations, KeepTheOperatorWhereTheFormDoesNotExist) {
  for (const auto& [alpha, beta] : {std::pair(-0.2F, 0.5F), std::pair(0.2F, -0.1F)}) {
    const QuantizedModel result = quantized(conv_activation_conv(
        "HardSigmoid", {{.name = "alpha", .value = alpha}, {.name = "beta", .value = beta}}));
    EXPECT_EQ(testing::count_of(result.model, "HardSigmoid"), 1) << alpha;
    EXPECT_NE(reason_of(result.layers, "active"), "") << alpha;
  }
}

TEST(HardActivations, StayFloatWhenAskedToAndWhereScalesAreRestricted) {
  const QuantizeOptions asked = {.hard_activations = HardActivations::keep_float};
  QuantizeOptions power;
  power.power_of_two = true;
  QuantizeOptions fraction;
  fraction.int16_scale = true;
  QuantizeOptions sixteen;
  sixteen.activation_type = DataType::uint16;
  QuantizeOptions signed_values;
  signed_values.activation_type = DataType::int8;
  for (const QuantizeOptions& options : {asked, power, fraction, sixteen, signed_values})
    EXPECT_EQ(
        testing::count_of(quantized(conv_activation_conv("HardSwish"), options).model, "HardSwish"),
        1);
}

TEST(HardActivations, AGraphOutputKeepsItsNameAndValue) {
  ModelBuilder builder;
  builder.random_weight("v", {8, 4, 1, 1}, 2, 1);
  const std::string conv = builder.node("Conv", {builder.input("x", {1, 4, 6, 6}), "v"});
  const Model model = build_with_output(builder, builder.node("HardSigmoid", {conv}, {}, "gate"));
  const QuantizedModel result = quantized(model);
  EXPECT_EQ(fused_operators(result.model)["QLinearAdd"], 1);
  const Batch inputs = testing::random_inputs(model, 5);
  const Batch expected = open_session(model)->run(inputs);
  const Batch got = open_session(result.model)->run(inputs);
  const auto wanted = expected.at("gate_out").values<float>();
  const auto values = got.at("gate_out").values<float>();
  for (std::size_t at = 0; at < wanted.size(); ++at) EXPECT_NEAR(values[at], wanted[at], 0.03);
}

}  // namespace
}  // namespace quantsearch
