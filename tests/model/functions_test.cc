#include "quantsearch/internal/model/functions.h"

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "model/text_model.h"
#include "quantsearch/internal/model/bodies.h"

namespace quantsearch {
namespace {

using testing::parse_proto;
using testing::text_model;

/// Calls a function of `opset` once in the graph and once in a body. Its inner tensor has the name
/// of a weight of the graph.
Model with_calls(const std::string& opset) {
  onnx::ModelProto proto = text_model(
      "input { name: 'x' } input { name: 'c' } output { name: 'y' }"
      "initializer { name: 'inner' data_type: 1 dims: 1 float_data: 3 }"
      "node { op_type: 'Twice' domain: 'pkg' name: 'call' input: 'x' output: 'z' }"
      "node { op_type: 'If' name: 'if' input: 'c' output: 'y'"
      " attribute { name: 'then_branch' type: GRAPH g { name: 't' output { name: 't' }"
      "  node { op_type: 'Twice' domain: 'pkg' input: 'z' output: 't' } } }"
      " attribute { name: 'else_branch' type: GRAPH g { name: 'e' output { name: 'e' }"
      "  node { op_type: 'Mul' input: 'z' input: 'inner' output: 'e' } } } }");
  onnx::OperatorSetIdProto& pkg = *proto.add_opset_import();
  pkg.set_domain("pkg");
  pkg.set_version(1);
  onnx::FunctionProto function;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
      "name: 'Twice' domain: 'pkg' input: 'a' output: 'b'"
      "opset_import { domain: '' version: " +
          opset +
          " } opset_import { domain: 'com.microsoft' version: 1 }"
          "node { op_type: 'Add' input: 'a' input: 'a' output: 'inner' }"
          "node { op_type: 'QuickGelu' domain: 'com.microsoft' input: 'inner' output: 'b' }",
      &function));
  *proto.add_functions() = function;
  return parse_proto(proto);
}

std::vector<std::string> types_of(const Graph& graph) {
  std::vector<std::string> types;
  for (const Node& node : graph.nodes) types.push_back(node.op_type);
  return types;
}

TEST(Functions, BecomeWhatTheyComputeInGraphAndBodies) {
  const Model model = with_calls("17");
  EXPECT_EQ(functions_of(model), std::vector<std::string>{"pkg.Twice"});
  const Model inlined = inline_functions(model);
  EXPECT_TRUE(functions_of(inlined).empty());
  EXPECT_EQ(types_of(inlined.graph), (std::vector<std::string>{"Add", "QuickGelu", "If"}));
  EXPECT_EQ(inlined.graph.nodes[1].outputs[0], "z");
  EXPECT_NE(inlined.graph.nodes[0].outputs[0], "inner");
  const Graph& body = body_at(inlined.graph, {.node = 2, .attribute = "then_branch"});
  EXPECT_EQ(types_of(body), (std::vector<std::string>{"Add", "QuickGelu"}));
  EXPECT_EQ(body.nodes[1].outputs[0], "t");
  EXPECT_EQ(inlined.opsets.at("com.microsoft"), 1);
  EXPECT_EQ(inlined.graph.initializers, model.graph.initializers);
}

TEST(Functions, OfAnotherOpsetStay) {
  const Model model = with_calls("11");
  const Model inlined = inline_functions(model);
  EXPECT_EQ(functions_of(inlined), functions_of(model));
  EXPECT_EQ(inlined.graph.nodes, model.graph.nodes);
}

}  // namespace
}  // namespace quantsearch
