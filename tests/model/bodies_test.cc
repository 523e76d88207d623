#include "quantsearch/internal/model/bodies.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "support/model_builder.h"

namespace quantsearch::testing {
namespace {

Attribute body_attribute(const std::string& name, const ModelBuilder& builder) {
  return {.name = name, .value = std::make_shared<const Graph>(builder.build_unchecked().graph)};
}

/// x, w and scale belong to the outer graph; both branches give their nodes and tensors the same
/// names.
Model two_branches() {
  ModelBuilder then_branch;
  then_branch.weight("b", {2}, {1, 2});
  then_branch.output(then_branch.node("Add", {then_branch.node("Mul", {"x", "w"}), "b"}), {-1, 2});
  ModelBuilder else_branch;
  else_branch.output(else_branch.node("Add", {else_branch.node("Mul", {"x", "scale"}), "w"}),
                     {-1, 2});
  ModelBuilder builder;
  builder.input("x", {-1, 2});
  builder.input("scale", {2});
  builder.input("choice", {}, DataType::boolean);
  builder.weight("w", {2}, {3, 4});
  builder.output(builder.node("If", {"choice"},
                              {body_attribute("then_branch", then_branch),
                               body_attribute("else_branch", else_branch)},
                              "choose"),
                 {-1, 2});
  return builder.build();
}

std::vector<std::string> names_of(const auto& list) {
  std::vector<std::string> names;
  for (const auto& item : list) names.push_back(item.name);
  return names;
}

using Names = std::vector<std::string>;

TEST(Bodies, AreListedWithTheirLabels) {
  const Model model = two_branches();
  const std::vector<BodyPlace> places = bodies_of(model.graph);
  ASSERT_EQ(places.size(), 2U);
  EXPECT_EQ(body_label(model.graph, places[0]), "choose/then_branch");
  EXPECT_EQ(body_label(model.graph, places[1]), "choose/else_branch");
}

TEST(Bodies, OpenAsModelsThatShareOuterConstantsAndReadTheRestAsInputs) {
  const Model model = two_branches();
  const OpenBody body = open_body(model, {.node = 0, .attribute = "else_branch"});
  EXPECT_EQ(names_of(body.model.graph.inputs), (Names{"x", "scale"}));
  EXPECT_EQ(to_string(body.model.graph.inputs[0]), "float32 [batch, 2]");
  EXPECT_EQ(names_of(body.model.graph.initializers), (Names{"w"}));
  EXPECT_EQ(body.model.graph.initializers[0].tensor, model.graph.initializers[0].tensor);
  check_model(body.model);
}

TEST(Bodies, CloseAsTheyWere) {
  const Model model = two_branches();
  for (const BodyPlace& place : bodies_of(model.graph)) {
    EXPECT_EQ(close_body(open_body(model, place)), body_at(model.graph, place));
  }
}

TEST(Bodies, KeepAConstantOfTheirOwnWhenItsValuesHaveChanged) {
  OpenBody body = open_body(two_branches(), {.node = 0, .attribute = "then_branch"});
  body.model.graph.initializers.back().tensor =
      std::make_shared<const Tensor>(Tensor::of<float>({2}, std::vector<float>{5, 6}));
  EXPECT_EQ(names_of(close_body(std::move(body)).initializers), (Names{"b", "w"}));
}

TEST(InlineBody, RenamesTheOutputToTheOutputOfTheNodeAndKeepsTheOtherNames) {
  Graph graph = two_branches().graph;
  inline_body(graph, {.node = 0, .attribute = "then_branch"});
  ASSERT_EQ(graph.nodes.size(), 2U);
  EXPECT_EQ(graph.nodes[0].name, "Mul0");
  EXPECT_EQ(graph.nodes[0].outputs, (Names{"Mul0_out"}));
  EXPECT_EQ(graph.nodes[1].outputs, (Names{"choose_out"}));
  EXPECT_EQ(names_of(graph.initializers), (Names{"w", "b"}));
}

TEST(InlineBody, RenamesTensorsAndNodesWhoseNamesTheOuterGraphUses) {
  Model model = two_branches();
  model.graph.nodes.push_back(Node{.op_type = "Neg",
                                   .domain = "",
                                   .name = "Mul0",
                                   .inputs = {"choose_out"},
                                   .outputs = {"Mul0_out"},
                                   .attributes = {},
                                   .extra = ""});
  inline_body(model.graph, {.node = 0, .attribute = "else_branch"});
  EXPECT_EQ(model.graph.nodes[0].outputs, (Names{"choose/else_branch/Mul0_out"}));
  EXPECT_EQ(model.graph.nodes[1].inputs, (Names{"choose/else_branch/Mul0_out", "w"}));
  EXPECT_EQ(model.graph.nodes[0].name, "choose/else_branch/Mul0");
  check_model(model);
}

TEST(InlineBody, CopiesAnOutputThatIsATensorOfTheOuterGraph) {
  ModelBuilder pass;
  pass.output("x", {-1, 2});
  ModelBuilder builder;
  builder.input("x", {-1, 2});
  builder.input("choice", {}, DataType::boolean);
  builder.output(
      builder.node("If", {"choice"},
                   {body_attribute("then_branch", pass), body_attribute("else_branch", pass)}),
      {-1, 2});
  Model model = builder.build_unchecked();
  inline_body(model.graph, {.node = 0, .attribute = "then_branch"});
  ASSERT_EQ(model.graph.nodes.size(), 1U);
  EXPECT_EQ(model.graph.nodes[0].op_type, "Identity");
  EXPECT_EQ(model.graph.nodes[0].inputs, (Names{"x"}));
  EXPECT_EQ(model.graph.nodes[0].outputs, (Names{"If0_out"}));
  check_model(model);
}

TEST(BodyNames, BecomeUniqueInTheWholeModelAndUnnamedNodesGetOne) {
  Model model = two_branches();
  Graph body = body_at(model.graph, {.node = 0, .attribute = "else_branch"});
  body.nodes[0].name.clear();
  set_body(model.graph, {.node = 0, .attribute = "else_branch"}, body);
  // The tensors Mul0_out and Add1_out, the node Add1 and the node without a name.
  EXPECT_EQ(make_body_names_unique(model.graph), 4);
  const Graph& first = body_at(model.graph, {.node = 0, .attribute = "then_branch"});
  const Graph& second = body_at(model.graph, {.node = 0, .attribute = "else_branch"});
  EXPECT_EQ(first.nodes[0].outputs, (Names{"Mul0_out"}));
  EXPECT_EQ(second.nodes[0].outputs, (Names{"choose/else_branch/Mul0_out"}));
  EXPECT_EQ(second.nodes[1].inputs, (Names{"choose/else_branch/Mul0_out", "w"}));
  EXPECT_EQ(second.outputs[0].name, "choose/else_branch/Add1_out");
  EXPECT_EQ(second.nodes[0].name, "choose/else_branch/Mul#0");
  EXPECT_EQ(make_body_names_unique(model.graph), 0);
  check_model(model);
}

/// The format forbids names that hide outer ones, but runtimes accept and write such models.
TEST(BodyNames, ThatHideOuterNamesChangeWhenAModelIsLoaded) {
  Model model = two_branches();
  rename_tensors(model.graph, {{"choose_out", "Mul0_out"}});
  const std::string bytes = serialize_model(model);
  const Model loaded = parse_model(std::as_bytes(std::span(bytes)));
  EXPECT_EQ(loaded.graph.nodes[0].outputs, (Names{"Mul0_out"}));
  const Graph& body = body_at(loaded.graph, {.node = 0, .attribute = "then_branch"});
  EXPECT_EQ(body.nodes[0].outputs, (Names{"choose/then_branch/Mul0_out"}));
  EXPECT_EQ(body.nodes[1].inputs, (Names{"choose/then_branch/Mul0_out", "b"}));
  check_model(loaded);
}

TEST(RenameTensors, ReachesReadsInsideBodiesButNotWhatABodyDefinesItself) {
  Model model = two_branches();
  rename_tensors(model.graph, {{"w", "weight"}, {"Mul0_out", "other"}});
  const Graph& body = body_at(model.graph, {.node = 0, .attribute = "else_branch"});
  EXPECT_EQ(body.nodes[1].inputs, (Names{"Mul0_out", "weight"}));
  EXPECT_EQ(model.graph.initializers[0].name, "weight");
}

}  // namespace
}  // namespace quantsearch::testing
