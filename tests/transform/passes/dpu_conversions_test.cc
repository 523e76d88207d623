// Compares each conversion with its definition, on ONNX Runtime.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "quantsearch/runtime.h"
#include "transform/pass_test.h"

namespace quantsearch::testing {
namespace {

Model unary(const std::string& op, const std::vector<std::int64_t>& shape,
            std::vector<Attribute> attributes = {}) {
  ModelBuilder builder;
  builder.input("x", shape);
  builder.node(op, {"x"}, std::move(attributes), "op");
  builder.output("op_out");
  return inferred(builder);
}

std::vector<float> outputs_of(const Model& model, const Tensor& input) {
  const Batch outputs =
      open_session(model, {.threads = 1, .optimize = false, .taps = {}})->run({{"x", input}});
  const auto values = outputs.at("op_out").values<float>();
  return {values.begin(), values.end()};
}

/// Expects the converted model to compute `expected(y)` where the original computes y.
void expect_mapped(const Model& before, const DpuOptions& options, const Shape& shape,
                   const std::function<double(double)>& expected) {
  const Model after = dpu_conversions(before, options).model;
  const Tensor input = random_tensor(shape, 7, -4, 4);
  const std::vector<float> was = outputs_of(before, input);
  const std::vector<float> is = outputs_of(after, input);
  ASSERT_EQ(was.size(), is.size());
  for (std::size_t at = 0; at < is.size(); ++at)
    EXPECT_NEAR(static_cast<double>(is[at]), expected(static_cast<double>(was[at])), 2e-6);
}

Attribute square_kernel(std::int64_t side) {
  return attribute("kernel_shape", std::vector<std::int64_t>{side, side});
}

TEST(DpuConversions, AveragesDivideByDyadicNumbers) {
  const DpuOptions options{.average_pool = true};
  const std::vector<std::pair<std::int64_t, double>> factors = {
      {2, 1},
      {3, 63.0 / 64},
      {4, 1},
      {5, 250.0 / 256},
      {6, 252.0 / 256},
      {7, 1029.0 / 1024},
      // For 9x9, 101 / 2^13 is the nearest to 1/81 among n < 14.
      {9, 81 * 101.0 / 8192},
      {14, 4116.0 / 4096}};
  for (const auto& entry : factors) {
    const std::int64_t side = entry.first;
    const double factor = entry.second;
    expect_mapped(unary("AveragePool", {1, 2, 16, 16}, {square_kernel(side)}), options,
                  {1, 2, 16, 16}, [factor](double mean) { return mean * factor; });
    expect_mapped(unary("GlobalAveragePool", {1, 2, side, side}), options, {1, 2, side, side},
                  [factor](double mean) { return mean * factor; });
  }
}

TEST(DpuConversions, AFactorOfOneIsNotWritten) {
  const Model before = unary("GlobalAveragePool", {1, 2, 8, 8});
  EXPECT_EQ(dpu_conversions(before, {.average_pool = true}).model.graph.nodes, before.graph.nodes);
}

TEST(DpuConversions, AMeanOverAnyAxesUsesTheNearestDyadicNumber) {
  // The nearest to 1/9 among n < 11 are 57 / 2^9 = 0.111328 and 114 / 2^10, which are equal.
  expect_mapped(
      unary("ReduceMean", {2, 3, 3}, {attribute("axes", std::vector<std::int64_t>{1, -1})}),
      {.reduce_mean = true}, {2, 3, 3}, [](double mean) { return mean * 9 * 57 / 512; });
}

TEST(DpuConversions, AnAverageOfUnknownSizeStays) {
  const PassResult result =
      dpu_conversions(unary("GlobalAveragePool", {1, 2, -1, -1}), {.average_pool = true});
  EXPECT_EQ(text(result.notes),
            "GlobalAveragePool 'op': stays: the size of what it averages is not known");
  EXPECT_EQ(count(result.model, "Mul"), 0);
}

TEST(DpuConversions, SlopesOfLeakyReluAreMultiplesOfA256th) {
  expect_mapped(unary("LeakyRelu", {40}, {attribute("alpha", 0.1F)}), {.leaky_relu = true}, {40},
                [](double y) { return y < 0 ? y / static_cast<double>(0.1F) * 26 / 256 : y; });
  EXPECT_TRUE(
      dpu_conversions(unary("LeakyRelu", {4}, {attribute("alpha", 0.25F)}), {.leaky_relu = true})
          .notes.empty());
}

TEST(DpuConversions, HardSigmoidHasTheDpusSlope) {
  expect_mapped(unary("HardSigmoid", {40}, {attribute("alpha", 1.0F / 6)}), {.hard_sigmoid = true},
                {40}, [](double y) { return y * 6 * 2731 / 16384; });
  const PassResult other = dpu_conversions(unary("HardSigmoid", {4}), {.hard_sigmoid = true});
  EXPECT_EQ(text(other.notes),
            "HardSigmoid 'op': stays: the DPU's HardSigmoid has alpha 1/6 and beta 1/2");
}

TEST(DpuConversions, SigmoidBecomesHardSigmoidOnlyWhenAsked) {
  const Model before = unary("Sigmoid", {40});
  expect_mapped(before, {.sigmoid_to_hard_sigmoid = true}, {40}, [](double y) {
    const double x = std::log(y / (1 - y));
    return std::clamp(x / 6 + 0.5, 0.0, 1.0);
  });
  EXPECT_EQ(dpu_conversions(before, {.hard_sigmoid = true}).model.graph.nodes, before.graph.nodes);
  EXPECT_EQ(text(dpu_conversions(before, {.sigmoid_to_hard_sigmoid = true}).notes),
            "HardSigmoid 'op': Sigmoid became HardSigmoid");
}

TEST(DpuConversions, BoundsOfClipBecomeIntegers) {
  ModelBuilder builder;
  builder.input("x", {40});
  builder.constant("low", Tensor::scalar(-1.6F));
  builder.constant("high", Tensor::scalar(200.0F));
  builder.node("Clip", {"x", "low", "high"}, {}, "op");
  builder.output("op_out");
  const PassResult result = dpu_conversions(inferred(builder), {.clip = true});
  EXPECT_EQ(result.model.graph.find_initializer(result.model.graph.nodes[0].inputs[1])
                ->values<float>()[0],
            -2);
  EXPECT_EQ(result.model.graph.find_initializer(result.model.graph.nodes[0].inputs[2])
                ->values<float>()[0],
            127);
}

TEST(DpuConversions, AnOutputOfTheModelKeepsItsName) {
  const Model after =
      dpu_conversions(unary("GlobalAveragePool", {1, 2, 7, 7}), {.average_pool = true}).model;
  EXPECT_EQ(after.graph.nodes.back().outputs[0], "op_out");
  EXPECT_EQ(after.graph.nodes.back().op_type, "Mul");
}

}  // namespace
}  // namespace quantsearch::testing
