#include "placement/traceable_names.h"

#include <gtest/gtest.h>

#include "quantsearch/runtime.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

TEST(TraceableNames, AreFoundInWhatTheRuntimeMakesOfThem) {
  EXPECT_EQ(traced_nodes("@12@"), std::vector{12});
  EXPECT_EQ(traced_nodes("fused @7@"), std::vector{7});
  EXPECT_EQ(traced_nodes("@3@0_nchwc"), std::vector{3});
  EXPECT_EQ(traced_nodes("@3@/@40@/MatMulAddFusion"), (std::vector{3, 40}));
  EXPECT_EQ(traced_nodes("ReorderInput_token_4"), std::vector<int>{});
  EXPECT_EQ(traced_nodes("@x@"), std::vector<int>{});
  EXPECT_EQ(traced_nodes("@5"), std::vector<int>{});
}

TEST(TraceableNames, KeepTheModelAndItsInterface) {
  testing::ModelBuilder builder;
  builder.random_weight("w", {4, 4}, 1, 1);
  const std::string product = builder.node("MatMul", {builder.input("x", {2, 4}), "w"});
  const std::string active = builder.node("Relu", {product});
  builder.output(builder.node("Tanh", {active}), {2, 4});
  const Model model = builder.build();
  const Model traced = with_traceable_names(model);
  EXPECT_EQ(traced.graph.nodes[0].name, "@0@");
  EXPECT_EQ(traced.graph.nodes[1].inputs[0], traced.graph.nodes[0].outputs[0]);
  EXPECT_EQ(traced_nodes(traced.graph.nodes[1].outputs[0]), std::vector{1});
  EXPECT_EQ(traced.graph.inputs, model.graph.inputs);
  EXPECT_EQ(traced_nodes(traced.graph.outputs[0].name), std::vector{2});
  const Batch inputs = testing::random_inputs(model, 1);
  const Batch got = open_session(traced)->run(inputs);
  const Batch expected = open_session(model)->run(inputs);
  EXPECT_EQ(got.at(traced.graph.outputs[0].name), expected.at(model.graph.outputs[0].name));
}

/// A body reads `outer` by its name, which must stay.
TEST(TraceableNames, KeepTheNamesThatBodiesRead) {
  testing::ModelBuilder inner;
  inner.add({.op_type = "Abs", .inputs = {"outer"}, .outputs = {"result"}});
  inner.output("result");
  Graph body = inner.build_unchecked().graph;
  body.name = "branch";
  const auto branch = std::make_shared<const Graph>(std::move(body));
  testing::ModelBuilder builder;
  builder.add({.op_type = "Neg", .inputs = {builder.input("x", {2})}, .outputs = {"outer"}});
  builder.input("condition", {}, DataType::boolean);
  builder.add({.op_type = "If",
               .inputs = {"condition"},
               .outputs = {"y"},
               .attributes = {{.name = "then_branch", .value = branch},
                              {.name = "else_branch", .value = branch}}});
  builder.output("y");
  const Model traced = with_traceable_names(builder.build_unchecked());
  EXPECT_EQ(traced.graph.nodes[0].outputs[0], "outer");
  EXPECT_EQ(traced.graph.nodes[0].name, "@0@");
}

}  // namespace
}  // namespace quantsearch
