#include "quantize/placement/scope.h"

#include <gtest/gtest.h>

#include "support/model_builder.h"

namespace quantsearch {
namespace {

using testing::ModelBuilder;

/// x -> a -> b -> d, a -> c -> d, d -> e.
Model diamond() {
  ModelBuilder builder;
  const std::string a = builder.node("Relu", {builder.input("x", {2})}, {}, "a");
  const std::string b = builder.node("Sigmoid", {a}, {}, "b");
  const std::string c = builder.node("Tanh", {a}, {}, "c");
  const std::string d = builder.node("Add", {b, c}, {}, "d");
  builder.output(builder.node("Relu", {d}, {}, "e"), {2});
  return builder.build();
}

std::string excluded(const QuantizeOptions& options, const Model& model = diamond()) {
  const GraphIndex index(model.graph);
  const std::vector<std::string> reasons =
      excluded_by_options({.graph = model.graph, .index = index}, options);
  std::string names;
  for (std::size_t node = 0; node < reasons.size(); ++node) {
    if (!reasons[node].empty()) names += node_label(model.graph, static_cast<int>(node));
  }
  return names;
}

std::string message(const QuantizeOptions& options) {
  try {
    (void)excluded(options);
  } catch (const InvalidInput& error) {
    return error.what();
  }
  return "";
}

TEST(Scope, DefaultExcludesOperatorsWithoutKernels) { EXPECT_EQ(excluded({}), "c"); }

TEST(Scope, ExtraTypesAreAdded) { EXPECT_EQ(excluded({.extra_op_types = {"Tanh"}}), ""); }

TEST(Scope, OpTypesReplaceTheDefault) { EXPECT_EQ(excluded({.op_types = {"Add", "Tanh"}}), "abe"); }

TEST(Scope, TypesNamesAndExpressionsExclude) {
  EXPECT_EQ(excluded({.exclude_op_types = {"Relu"}}), "ace");
  EXPECT_EQ(excluded({.exclude_nodes = {"d"}}), "cd");
  EXPECT_EQ(excluded({.exclude_nodes = {"^[de]$"}}), "cde");
}

TEST(Scope, ListedNodesExcludeAllOthers) { EXPECT_EQ(excluded({.nodes = {"b", "d"}}), "ace"); }

TEST(Scope, UnnamedNodesAreIdentifiedByTypeAndIndex) {
  ModelBuilder builder;
  builder.input("x", {2});
  Node node;
  node.op_type = "Relu";
  node.inputs = {"x"};
  node.outputs = {"y"};
  builder.add(node);
  builder.output("y", {2});
  EXPECT_EQ(excluded({.exclude_nodes = {"Relu#0"}}, builder.build()), "Relu#0");
}

TEST(Scope, InputTensorsExcludeAncestorsAndNotParallelBranches) {
  // c is not an ancestor of b, wherever it is in the order of the nodes.
  EXPECT_EQ(excluded({.extra_op_types = {"Tanh"}, .input_tensors = {"b"}}), "a");
  EXPECT_EQ(excluded({.extra_op_types = {"Tanh"}, .input_tensors = {"b_out"}}), "ab");
  EXPECT_EQ(excluded({.extra_op_types = {"Tanh"}, .input_tensors = {"x"}}), "");
}

TEST(Scope, OutputTensorsExcludeDescendantsAndNotParallelBranches) {
  EXPECT_EQ(excluded({.extra_op_types = {"Tanh"}, .output_tensors = {"b"}}), "de");
  EXPECT_EQ(excluded({.extra_op_types = {"Tanh"}, .output_tensors = {"a_out"}}), "bcde");
}

TEST(Scope, SubgraphsExcludeEveryPathBetween) {
  EXPECT_EQ(excluded({.extra_op_types = {"Tanh"},
                      .exclude_subgraphs = {{.starts = {"a"}, .ends = {"d"}}}}),
            "abcd");
  EXPECT_EQ(excluded({.extra_op_types = {"Tanh"},
                      .exclude_subgraphs = {{.starts = {"b"}, .ends = {"e"}}}}),
            "bde");
}

TEST(Scope, FirstReasonStays) {
  const Model model = diamond();
  const GraphIndex index(model.graph);
  const auto reasons = excluded_by_options(
      {.graph = model.graph, .index = index},
      {.exclude_op_types = {"Add"}, .exclude_nodes = {"d", "b", "^e"}, .output_tensors = {"a"}});
  EXPECT_EQ(reasons[0], "");
  EXPECT_EQ(reasons[1], "excluded by name");
  EXPECT_EQ(reasons[2],
            "ONNX Runtime's CPU provider has no integer kernel for it; extra_op_types_to_quantize "
            "can add it");
  EXPECT_EQ(reasons[3], "operator type 'Add' is in op_types_to_exclude");
  EXPECT_EQ(reasons[4], "excluded by the expression '^e'");
}

TEST(Scope, KindsOfLayersMayBeExcluded) {
  testing::ModelBuilder builder;
  builder.input("x", {1, 2, 4, 4});
  const auto weight = [&builder](const std::string& name, const Shape& shape) {
    return builder.random_weight(name, shape, 1, 7);
  };
  const std::string deep = builder.node("Conv", {"x", weight("d", {2, 1, 1, 1})},
                                        {{"group", std::int64_t{2}}}, "depthwise");
  const std::string wide = builder.node("Conv", {deep, weight("p", {2, 2, 1, 1})}, {}, "pointwise");
  const std::string near = builder.node("Conv", {wide, weight("s", {2, 2, 3, 3})}, {}, "spatial");
  builder.output(near, {1, 2, 2, 2});
  const Model model = builder.build();
  const GraphIndex index(model.graph);
  const auto reasons =
      excluded_by_options({.graph = model.graph, .index = index},
                          {.exclude_op_types = {"Conv/depthwise", "Conv/spatial"}});
  EXPECT_EQ(reasons[0], "'Conv/depthwise' is in op_types_to_exclude");
  EXPECT_EQ(reasons[1], "");
  EXPECT_EQ(reasons[2], "'Conv/spatial' is in op_types_to_exclude");
}

TEST(Scope, MessagesForUnknownNamesShowTheNearest) {
  EXPECT_EQ(message({.exclude_nodes = {"D2"}}),
            "quantize: option 'nodes_to_exclude': unknown node 'D2'; nearest known: 'd', 'a', 'b'");
  EXPECT_NE(message({.op_types = {"LeakyRelo"}})
                .find("quantize: option 'op_types_to_quantize': unknown quantizable operator type "
                      "'LeakyRelo'; nearest known: 'LeakyRelu'"),
            std::string::npos);
  EXPECT_NE(message({.nodes = {"zzzzzzzz"}}).find("unknown node 'zzzzzzzz'"), std::string::npos);
  EXPECT_NE(message({.output_tensors = {"b_oot"}}).find("nearest known: 'b_out'"),
            std::string::npos);
  EXPECT_NE(message({.input_tensors = {"a_oot"}}).find("'a_out'"), std::string::npos);
  EXPECT_NE(message({.exclude_subgraphs = {{.starts = {"q"}, .ends = {"d"}}}})
                .find("option 'subgraphs_to_exclude'"),
            std::string::npos);
}

TEST(Scope, InvalidExpressionsAndExpressionsWithoutAMatchAreErrors) {
  EXPECT_NE(message({.exclude_nodes = {"^("}}).find("regular expression '^(' that cannot be read"),
            std::string::npos);
  EXPECT_EQ(
      message({.exclude_nodes = {"^q"}}),
      "quantize: the regular expression '^q' in option 'nodes_to_exclude' matches none of the 5 "
      "nodes, expected at "
      "least one");
}

TEST(Scope, SubgraphsWithoutAPathAreErrors) {
  EXPECT_NE(
      message({.exclude_subgraphs = {{.starts = {"e"}, .ends = {"a"}}}}).find("no path between"),
      std::string::npos);
}

}  // namespace
}  // namespace quantsearch
