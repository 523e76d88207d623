#include "placement/ledger.h"

#include <gtest/gtest.h>

#include "support/model_builder.h"

namespace quantsearch {
namespace {

using testing::ModelBuilder;

/// x -> Conv -> Tanh -> Conv, whose units are its nodes.
struct Case {
  Model model;
  Units units;
  Model written;  // the Convs quantized
};

Case make_case() {
  ModelBuilder builder;
  builder.random_weight("v", {4, 4, 1, 1}, 1, 1);
  builder.random_weight("w", {4, 4, 1, 1}, 1, 2);
  const std::string first = builder.node("Conv", {builder.input("x", {1, 4, 5, 5}), "v"});
  const std::string active = builder.node("Tanh", {first});
  builder.output(builder.node("Conv", {active, "w"}), {1, 4, 5, 5});
  Case made{.model = builder.build(), .units = {}, .written = {}};
  made.units = {.units = {{.nodes = {0}}, {.nodes = {1}}, {.nodes = {2}}}, .of_node = {0, 1, 2}};
  ThreadPool pool(1);
  Ranges ranges;
  for (const char* tensor : {"x", "Conv0_out", "Tanh1_out", "Conv2_out"})
    ranges[tensor] = {.low = -1, .high = 1};
  made.written = quantize(made.model, ranges, {}, pool).model;
  return made;
}

int node_of(const Model& model, std::string_view op_type, std::string_view tensor) {
  for (std::size_t node = 0; node < model.graph.nodes.size(); ++node) {
    const Node& at = model.graph.nodes[node];
    if (at.op_type == op_type &&
        (at.inputs[0].starts_with(tensor) || at.outputs[0].starts_with(tensor)))
      return static_cast<int>(node);
  }
  throw std::runtime_error("the test's model has no such node");
}

KernelTime kernel(int node, const std::string& op_type, double seconds) {
  return {.name = "@" + std::to_string(node) + "@_token_3", .op_type = op_type, .seconds = seconds};
}

TEST(Ledger, AChangeOfLayoutCountsForTheKernelBeforeIt) {
  const Case made = make_case();
  const Ledger ledger = float_ledger(made.units, {{.name = "ReorderInput", .seconds = 7},
                                                  {.name = "@0@0_nchwc", .seconds = 1},
                                                  {.name = "ReorderOutput", .seconds = 2},
                                                  {.name = "@1@", .seconds = 4},
                                                  {.name = "@2@", .seconds = 8}});
  EXPECT_EQ(ledger.units, (std::vector<double>{3, 4, 8}));
}

TEST(Ledger, ConversionsCountForTheirTensors) {
  const Case made = make_case();
  const Ledger ledger = quantized_ledger(
      made.model.graph, made.units, made.written.graph,
      {kernel(node_of(made.written, "QuantizeLinear", "x"), "QuantizeLinear", 1),
       kernel(node_of(made.written, "Conv", "Conv0_out"), "QLinearConv", 2),
       kernel(node_of(made.written, "DequantizeLinear", "Conv0_out"), "DequantizeLinear", 3),
       kernel(node_of(made.written, "Tanh", "Tanh1_out"), "Tanh", 4),
       kernel(node_of(made.written, "QuantizeLinear", "Tanh1_out"), "QuantizeLinear", 5),
       kernel(node_of(made.written, "Conv", "Conv2_out"), "QLinearConv", 6)});
  EXPECT_EQ(ledger.units, (std::vector<double>{2, 4, 6}));
  EXPECT_EQ(ledger.tensors.at("x"), (ConversionTime{.quantize = 1}));
  EXPECT_EQ(ledger.tensors.at("Conv0_out"), (ConversionTime{.dequantize = 3}));
  EXPECT_EQ(ledger.tensors.at("Tanh1_out"), (ConversionTime{.quantize = 5}));
  EXPECT_EQ(ledger.tensors.size(), 3);
}

/// ONNX Runtime expands some activations into nodes without a name. Behind a DequantizeLinear they
/// belong to the node that reads it.
TEST(Ledger, PartsOfAnOperatorCountForIt) {
  const Case made = make_case();
  const Ledger ledger = quantized_ledger(
      made.model.graph, made.units, made.written.graph,
      {kernel(node_of(made.written, "DequantizeLinear", "Conv0_out"), "DequantizeLinear", 1),
       {.name = "Exp_271", .op_type = "Exp", .seconds = 2},
       {.name = "Div_272", .op_type = "Div", .seconds = 3}});
  EXPECT_EQ(ledger.units, (std::vector<double>{0, 5, 0}));
}

TEST(Ledger, StoredWeightsCountForTheirLayer) {
  const Case made = make_case();
  const Ledger ledger = quantized_ledger(
      made.model.graph, made.units, made.written.graph,
      {kernel(node_of(made.written, "DequantizeLinear", "w"), "DequantizeLinear", 2)});
  EXPECT_EQ(ledger.units, (std::vector<double>{0, 0, 2}));
  EXPECT_TRUE(ledger.tensors.empty());
}

}  // namespace
}  // namespace quantsearch
