// Tests the quantization of layers inside If and Loop.

#include "quantsearch/internal/model/bodies.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "quantize/fixture.h"
#include "quantsearch/calibrate.h"
#include "quantsearch/transform.h"

namespace quantsearch {
namespace {

using testing::is_quantized;
using testing::ModelBuilder;
using testing::reason_of;

Attribute body_attribute(const std::string& name, const ModelBuilder& builder) {
  return {.name = name, .value = std::make_shared<const Graph>(builder.build_unchecked().graph)};
}

Tensor choices(const std::vector<bool>& values) {
  Tensor tensor(DataType::boolean, {std::ssize(values)});
  for (std::size_t at = 0; at < values.size(); ++at) tensor.mutable_values<bool>()[at] = values[at];
  return tensor;
}

/// An If whose branches both multiply x by an outer weight and then by a weight of their own; the
/// then branch has a Relu between.
Model two_layers() {
  ModelBuilder then_branch;
  then_branch.random_weight("inner", {8, 4}, 1, 2);
  const std::string hidden = then_branch.node("MatMul", {"x", "outer"}, {}, "first");
  then_branch.output(
      then_branch.node("MatMul", {then_branch.node("Relu", {hidden}), "inner"}, {}, "second"),
      {-1, 4});
  ModelBuilder else_branch;
  else_branch.random_weight("other", {8, 4}, 1, 3);
  else_branch.output(
      else_branch.node("MatMul", {else_branch.node("MatMul", {"x", "outer"}, {}, "third"), "other"},
                       {}, "fourth"),
      {-1, 4});
  ModelBuilder builder;
  builder.input("x", {-1, 6});
  builder.input("choice", {1}, DataType::boolean);
  builder.random_weight("outer", {6, 8}, 1, 1);
  builder.output(builder.node("If", {"choice"},
                              {body_attribute("then_branch", then_branch),
                               body_attribute("else_branch", else_branch)},
                              "choose"),
                 {-1, 4});
  return builder.build();
}

const Tensor kData = testing::random_tensor({8, 6}, 4);

Ranges ranges_with(const Model& model, const std::vector<bool>& taken) {
  ThreadPool pool(1);
  const auto data = in_memory_data({{"x", kData}, {"choice", choices(taken)}});
  const Statistics seen = observe(model, *data, pool, {.tensors = tensors_to_observe(model)});
  return choose_ranges(seen, {.type = DataType::uint8, .symmetric_quantization = false}, pool);
}

QuantizedModel quantized_with(const Model& model, const std::vector<bool>& taken,
                              const QuantizeOptions& options = {}) {
  ThreadPool pool(1);
  return quantize(model, ranges_with(model, taken), options, pool);
}

const std::vector<bool> kBoth = {true, false, true, false, true, false, true, false};
const std::vector<bool> kThen(8, true);

/// The outputs without optimization, which do not depend on the kernels of this processor.
Batch outputs_of(const Model& model, const Batch& inputs) {
  return open_session(model, {.threads = 1, .optimize = false, .taps = {}})->run(inputs);
}

/// Relative noise of the output over the samples that take the branch in kBoth.
double noise(const Model& before, const Model& after, bool choice) {
  double error = 0;
  double energy = 0;
  for (std::int64_t row = choice ? 0 : 1; row < 8; row += 2) {
    const Batch inputs = {{"x", kData.rows(row, 1)}, {"choice", choices({choice})}};
    const Tensor wanted = outputs_of(before, inputs).at("choose_out");
    const Tensor got = outputs_of(after, inputs).at("choose_out");
    for (std::size_t at = 0; at < 4; ++at) {
      const double value = wanted.values<float>()[at];
      error += std::pow(value - static_cast<double>(got.values<float>()[at]), 2);
      energy += value * value;
    }
  }
  return std::sqrt(error / energy);
}

TEST(QuantizeBodies, QuantizesTheLayersOfBothBranches) {
  const Model model = two_layers();
  const QuantizedModel result = quantized_with(model, kBoth);
  for (const char* const layer : {"first", "second", "third", "fourth"})
    EXPECT_TRUE(is_quantized(result.layers, layer)) << layer;
  EXPECT_EQ(reason_of(result.layers, "choose"),
            "control flow: the nodes of its bodies are quantized on their own");
  check_model(result.model);
  EXPECT_LT(noise(model, result.model, true), 0.03);
  EXPECT_LT(noise(model, result.model, false), 0.03);
  EXPECT_EQ(report_kernels(optimized_model(result.model)).float_compute, 0);
}

TEST(QuantizeBodies, RemovesTheFloatCopyOfAnOuterWeight) {
  const QuantizedModel result = quantized_with(two_layers(), kBoth);
  EXPECT_EQ(result.model.graph.find_initializer("outer"), nullptr);
}

TEST(QuantizeBodies, StoresALargeOuterWeightThatBothBranchesReadOnce) {
  const auto branch = [](const std::string& name) {
    ModelBuilder builder;
    builder.output(builder.node("MatMul", {"x", "outer"}, {}, name), {-1, 12000});
    return builder;
  };
  ModelBuilder builder;
  builder.input("x", {-1, 6});
  builder.input("choice", {1}, DataType::boolean);
  builder.random_weight("outer", {6, 12000}, 1, 1);
  builder.output(builder.node("If", {"choice"},
                              {body_attribute("then_branch", branch("one")),
                               body_attribute("else_branch", branch("other"))},
                              "choose"),
                 {-1, 12000});
  const Model model = builder.build();
  const QuantizedModel result = quantized_with(model, kBoth);
  ASSERT_EQ(result.model.graph.initializers.size(), 1U);
  EXPECT_EQ(result.model.graph.initializers[0].tensor->type(), DataType::int8);
  for (const BodyPlace& place : bodies_of(result.model.graph)) {
    for (const Initializer& inside : body_at(result.model.graph, place).initializers)
      EXPECT_LE(inside.tensor->size(), 1) << inside.name;
  }
  EXPECT_EQ(report_kernels(optimized_model(result.model)).float_compute, 0);
}

TEST(QuantizeBodies, LeavesABranchFloatThatNoSampleTakes) {
  const Model model = two_layers();
  const QuantizedModel result = quantized_with(model, kThen);
  EXPECT_TRUE(is_quantized(result.layers, "first"));
  EXPECT_FALSE(is_quantized(result.layers, "third"));
  EXPECT_EQ(reason_of(result.layers, "fourth"),
            "no calibration sample runs the body that it is in");
  EXPECT_EQ(noise(model, result.model, false), 0);
}

TEST(QuantizeBodies, AcceptsNodeNamesOfBodiesInOptions) {
  const Model model = two_layers();
  const QuantizedModel excluded =
      quantized_with(model, kBoth, {.exclude_nodes = {"second", "^thi"}});
  EXPECT_EQ(reason_of(excluded.layers, "second"), "excluded by name");
  EXPECT_EQ(reason_of(excluded.layers, "third"), "excluded by the expression '^thi'");
  EXPECT_TRUE(is_quantized(excluded.layers, "first"));
  const QuantizedModel only = quantized_with(model, kBoth, {.nodes = {"fourth"}});
  EXPECT_TRUE(is_quantized(only.layers, "fourth"));
  EXPECT_EQ(reason_of(only.layers, "first"), "not in nodes_to_quantize");
  const QuantizedModel without = quantized_with(
      model, kBoth,
      {.node_formats = {{"fourth", {.activation = {}, .weight = {}, .keep_float = true}}}});
  EXPECT_FALSE(is_quantized(without.layers, "fourth"));
  EXPECT_TRUE(is_quantized(without.layers, "third"));
}

TEST(QuantizeBodies, LeavesTheBodiesOfAnExcludedNodeFloat) {
  try {
    require_quantizable(two_layers(), {.exclude_op_types = {"If"}});
    FAIL();
  } catch (const InvalidInput& error) {
    EXPECT_NE(
        std::string(error.what()).find("MatMul (4): operator type 'If' is in op_types_to_exclude"),
        std::string::npos)
        << error.what();
  }
}

TEST(QuantizeBodies, PlanAndResultAgree) {
  const std::vector<LayerRecord> planned = plan_layers(two_layers(), {});
  EXPECT_EQ(planned, quantized_with(two_layers(), kBoth).layers);
}

/// The model multiplies x by the same weight three times.
TEST(QuantizeBodies, QuantizesTheBodyOfALoop) {
  ModelBuilder body;
  body.input("round", {}, DataType::int64);
  body.input("go_on", {}, DataType::boolean);
  body.input("state", {-1, 4});
  const std::string product = body.node("MatMul", {"state", "w"}, {}, "step");
  body.node("Identity", {"go_on"}, {}, "still");
  body.output("still_out", {}, DataType::boolean);
  body.output(body.node("Tanh", {product}, {}, "bounded"), {-1, 4});
  ModelBuilder builder;
  builder.input("x", {-1, 4});
  builder.random_weight("w", {4, 4}, 1, 7);
  builder.constant("rounds", Tensor::scalar(std::int64_t{3}));
  builder.constant("yes", choices({true}).reshaped({}));
  builder.output(
      builder.node("Loop", {"rounds", "yes", "x"}, {body_attribute("body", body)}, "loop"),
      {-1, 4});
  const Model model = builder.build();
  ThreadPool pool(1);
  const Tensor data = testing::random_tensor({6, 4}, 5);
  const Statistics seen =
      observe(model, *in_memory_data({{"x", data}}), pool, {.tensors = tensors_to_observe(model)});
  EXPECT_EQ(seen.tensors.at("state").count, 3U * 24U);
  const Ranges ranges =
      choose_ranges(seen, {.type = DataType::uint8, .symmetric_quantization = false}, pool);
  const QuantizedModel result = quantize(model, ranges, {}, pool);
  EXPECT_TRUE(is_quantized(result.layers, "step"));
  check_model(result.model);
  const Tensor wanted = outputs_of(model, {{"x", data}}).at("loop_out");
  const Tensor got = outputs_of(result.model, {{"x", data}}).at("loop_out");
  for (std::size_t at = 0; at < 24; ++at)
    EXPECT_NEAR(got.values<float>()[at], wanted.values<float>()[at], 0.03F);
}

}  // namespace
}  // namespace quantsearch
