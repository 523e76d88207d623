#include <gtest/gtest.h>

#include <cmath>

#include "transform/pass_test.h"

namespace quantsearch::testing {
namespace {

constexpr double kTolerance = 2e-6;  // a few float32 steps of outputs of size 1

// The four parameters of a BatchNormalization over `channels`.
std::vector<std::string> norm_inputs(ModelBuilder& builder, const std::string& input,
                                     std::int64_t channels, const std::string& prefix = "bn") {
  return {input, builder.constant(prefix + ".scale", random_tensor({channels}, 1, 0.5F, 2)),
          builder.constant(prefix + ".bias", random_tensor({channels}, 2)),
          builder.constant(prefix + ".mean", random_tensor({channels}, 3)),
          builder.constant(prefix + ".var", random_tensor({channels}, 4, 0.1F, 2))};
}

void expect_folded(const Model& before, const std::vector<std::string>& left) {
  const PassResult result = fold_batch_norm(before);
  EXPECT_LE(largest_difference(before, result.model), kTolerance);
  std::vector<std::string> operators;
  for (const Node& node : result.model.graph.nodes) operators.push_back(node.op_type);
  EXPECT_EQ(operators, left) << text(result.notes);
}

void expect_left_alone(const Model& before, const std::string& reason) {
  const PassResult result = fold_batch_norm(before);
  EXPECT_EQ(result.model.graph.nodes, before.graph.nodes);
  EXPECT_NE(text(result.notes).find(reason), std::string::npos) << text(result.notes);
}

TEST(FoldBatchNorm, UsesTheDefaultEpsilonOfOnnx) {
  ModelBuilder builder;
  builder.input("x", {-1, 1, 1, 1});
  const std::string conv = builder.node("Conv", {"x", builder.weight("w", {1, 1, 1, 1}, {1})});
  builder.output(builder.node("BatchNormalization",
                              {conv, builder.weight("s", {1}, {1}), builder.weight("b", {1}, {0}),
                               builder.weight("m", {1}, {0}), builder.weight("v", {1}, {0})}),
                 {-1, 1, 1, 1});
  const PassResult result = fold_batch_norm(builder.build());
  // The expected weight is 1 / sqrt(0 + 1e-5).
  EXPECT_FLOAT_EQ(result.model.graph.find_initializer("w")->values<float>()[0], 316.22776F);
}

TEST(FoldBatchNorm, GoesIntoConvWithAndWithoutBiasAndGroups) {
  for (const std::int64_t groups : {1, 2}) {
    for (const bool has_bias : {false, true}) {
      ModelBuilder builder;
      builder.input("x", {-1, 4, 5, 5});
      std::vector<std::string> inputs = {
          "x", builder.random_weight("w", {6, 4 / groups, 3, 3}, 0.3F, 5)};
      if (has_bias) inputs.push_back(builder.random_weight("b", {6}, 1, 6));
      const std::string conv = builder.node("Conv", inputs, {attribute("group", groups)});
      builder.output(builder.node("BatchNormalization", norm_inputs(builder, conv, 6)),
                     {-1, 6, 3, 3});
      expect_folded(builder.build(), {"Conv"});
    }
  }
}

TEST(FoldBatchNorm, GoesIntoOneAndThreeDimensionalConv) {
  ModelBuilder builder;
  builder.input("x", {-1, 2, 6});
  builder.input("z", {-1, 2, 3, 3, 3});
  const std::string line =
      builder.node("Conv", {"x", builder.random_weight("w1", {3, 2, 3}, 1, 1)});
  builder.output(builder.node("BatchNormalization", norm_inputs(builder, line, 3)), {-1, 3, 4});
  const std::string cube =
      builder.node("Conv", {"z", builder.random_weight("w3", {3, 2, 2, 2, 2}, 0.3F, 2)});
  builder.output(builder.node("BatchNormalization", norm_inputs(builder, cube, 3, "bn3")),
                 {-1, 3, 2, 2, 2});
  expect_folded(builder.build(), {"Conv", "Conv"});
}

TEST(FoldBatchNorm, GoesIntoConvTransposeOfSeveralGroups) {
  for (const std::int64_t groups : {1, 2, 4}) {
    ModelBuilder builder;
    builder.input("x", {-1, 4, 3, 3});
    const std::string conv =
        builder.node("ConvTranspose", {"x", builder.random_weight("w", {4, 3, 2, 2}, 0.5F, 5)},
                     {attribute("group", groups)});
    builder.output(builder.node("BatchNormalization", norm_inputs(builder, conv, 3 * groups)),
                   {-1, 3 * groups, 4, 4});
    expect_folded(builder.build(), {"ConvTranspose"});
  }
}

TEST(FoldBatchNorm, GoesIntoGemmWhateverItsAttributes) {
  for (const std::int64_t transposed : {0, 1}) {
    for (const float beta : {1.0F, 0.5F}) {
      for (const Shape& bias : std::vector<Shape>{{3}, {1, 3}, {1}, {}}) {
        ModelBuilder builder;
        builder.input("x", {-1, 4});
        const Shape weight = transposed != 0 ? Shape{3, 4} : Shape{4, 3};
        const std::string gemm = builder.node(
            "Gemm",
            {"x", builder.random_weight("w", weight, 0.5F, 5),
             builder.random_weight("b", bias, 1, 6)},
            {attribute("transB", transposed), attribute("alpha", 0.25F), attribute("beta", beta)});
        builder.output(builder.node("BatchNormalization", norm_inputs(builder, gemm, 3)), {-1, 3});
        expect_folded(builder.build(), {"Gemm"});
      }
    }
  }
}

TEST(FoldBatchNorm, LeavesAnAddAfterMatMul) {
  ModelBuilder builder;
  builder.input("x", {-1, 4});
  const std::string product =
      builder.node("MatMul", {"x", builder.random_weight("w", {4, 3}, 0.5F, 5)});
  builder.output(builder.node("BatchNormalization", norm_inputs(builder, product, 3)), {-1, 3});
  expect_folded(builder.build(), {"MatMul", "Add"});
}

TEST(FoldBatchNorm, GoesThroughTheBiasOfMatMul) {
  ModelBuilder builder;
  builder.input("x", {-1, 4});
  const std::string product =
      builder.node("MatMul", {"x", builder.random_weight("w", {4, 3}, 0.5F, 5)});
  const std::string sum = builder.node("Add", {product, builder.random_weight("b", {3}, 1, 6)});
  builder.output(builder.node("BatchNormalization", norm_inputs(builder, sum, 3)), {-1, 3});
  expect_folded(builder.build(), {"MatMul", "Add"});
}

TEST(FoldBatchNorm, CopiesASharedWeight) {
  ModelBuilder builder;
  builder.input("x", {-1, 2, 3, 3});
  const std::string weight = builder.random_weight("w", {2, 2, 1, 1}, 1, 5);
  const std::string first = builder.node("Conv", {"x", weight});
  builder.output(builder.node("BatchNormalization", norm_inputs(builder, first, 2)), {-1, 2, 3, 3});
  builder.output(builder.node("Conv", {"x", weight}), {-1, 2, 3, 3});
  const Model before = builder.build();
  expect_folded(before, {"Conv", "Conv"});
  EXPECT_EQ(*fold_batch_norm(before).model.graph.find_initializer("w"),
            *before.graph.find_initializer("w"));
}

TEST(FoldBatchNorm, KeepsTheNameOfItsOutput) {
  ModelBuilder builder;
  builder.input("x", {-1, 2, 3, 3});
  const std::string conv =
      builder.node("Conv", {"x", builder.random_weight("w", {2, 2, 1, 1}, 1, 5)}, {}, "layer");
  const std::string norm = builder.node("BatchNormalization", norm_inputs(builder, conv, 2));
  builder.output(builder.node("Relu", {norm}), {-1, 2, 3, 3});
  const PassResult result = fold_batch_norm(builder.build());
  EXPECT_EQ(result.model.graph.nodes[0].name, "layer");
  EXPECT_EQ(result.model.graph.nodes[0].outputs[0], norm);
}

// Conv -> BatchNormalization, changed by each test below.
struct ConvNorm {
  explicit ConvNorm(std::int64_t opset = 17) : builder(opset) {
    builder.input("x", {-1, 2, 3, 3});
    conv = builder.node("Conv", {"x", builder.random_weight("w", {2, 2, 1, 1}, 1, 5)});
  }
  ModelBuilder builder;
  std::string conv;
};

TEST(FoldBatchNorm, StaysWhenTheConvIsUsedTwice) {
  ConvNorm model;
  const std::string norm =
      model.builder.node("BatchNormalization", norm_inputs(model.builder, model.conv, 2));
  model.builder.output(model.builder.node("Add", {norm, model.conv}), {-1, 2, 3, 3});
  expect_left_alone(model.builder.build(), "'Conv0_out' is also used elsewhere");
}

TEST(FoldBatchNorm, StaysWhenTheConvIsAGraphOutput) {
  ConvNorm model;
  model.builder.output(
      model.builder.node("BatchNormalization", norm_inputs(model.builder, model.conv, 2)),
      {-1, 2, 3, 3});
  model.builder.output(model.conv, {-1, 2, 3, 3});
  expect_left_alone(model.builder.build(), "'Conv0_out' is also used elsewhere");
}

TEST(FoldBatchNorm, StaysWhenItTrains) {
  ConvNorm model;
  model.builder.add(node_of("BatchNormalization", norm_inputs(model.builder, model.conv, 2),
                            {"y", "rm", "rv"}, {attribute("training_mode", std::int64_t{1})}));
  model.builder.output("y", {-1, 2, 3, 3});
  expect_left_alone(model.builder.build(), "it trains");
}

TEST(FoldBatchNorm, StaysWhenOldAndNotSpatial) {
  ConvNorm model(8);
  model.builder.output(
      model.builder.node("BatchNormalization", norm_inputs(model.builder, model.conv, 2),
                         {attribute("spatial", std::int64_t{0})}),
      {-1, 2, 3, 3});
  expect_left_alone(model.builder.build_unchecked(), "it is not spatial");
}

TEST(FoldBatchNorm, StaysWhenTheWeightIsComputed) {
  ModelBuilder builder;
  builder.input("x", {-1, 2, 3, 3});
  builder.input("w", {2, 2, 1, 1});
  const std::string conv = builder.node("Conv", {"x", "w"});
  builder.output(builder.node("BatchNormalization", norm_inputs(builder, conv, 2)), {-1, 2, 3, 3});
  expect_left_alone(builder.build(), "the weight is not constant");
}

TEST(FoldBatchNorm, StaysAfterAnInputOrAnActivation) {
  ConvNorm model;
  const std::string relu = model.builder.node("Relu", {model.conv});
  model.builder.output(
      model.builder.node("BatchNormalization", norm_inputs(model.builder, relu, 2)), {-1, 2, 3, 3});
  model.builder.output(
      model.builder.node("BatchNormalization", norm_inputs(model.builder, "x", 2, "in")),
      {-1, 2, 3, 3});
  const Model before = model.builder.build();
  expect_left_alone(before, "Relu before it is no linear layer");
  expect_left_alone(before, "no layer is before it");
}

TEST(FoldBatchNorm, StaysWhenAFactorIsNotFinite) {
  ConvNorm model;
  auto inputs = norm_inputs(model.builder, model.conv, 2);
  inputs[4] = model.builder.weight("negative", {2}, {1, -1});
  model.builder.output(model.builder.node("BatchNormalization", inputs), {-1, 2, 3, 3});
  expect_left_alone(model.builder.build(), "its factor of channel 1 is not finite");
}

TEST(FoldBatchNorm, StaysAfterMatMulOfThreeAxes) {
  ModelBuilder builder;
  builder.input("x", {-1, 3, 4});
  const std::string product =
      builder.node("MatMul", {"x", builder.random_weight("w", {4, 3}, 0.5F, 5)});
  builder.output(builder.node("BatchNormalization", norm_inputs(builder, product, 3)), {-1, 3, 3});
  expect_left_alone(builder.build(), "not known to have two axes");
}

}  // namespace
}  // namespace quantsearch::testing
