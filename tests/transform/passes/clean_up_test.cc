// Tests of the passes on constants, inputs with defaults, copies, dead nodes and biases.

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "quantsearch/transform.h"
#include "transform/pass_test.h"

namespace quantsearch::testing {
namespace {

TEST(ConstantsToInitializers, KeepsNamesAndValuesOfEveryForm) {
  ModelBuilder builder;
  builder.input("x", {2});
  builder.add(node_of("Constant", {}, {"a"},
                      {attribute("value", Tensor::of<float>({2}, std::vector<float>{1, 2}))}));
  builder.add(node_of("Constant", {}, {"b"}, {attribute("value_float", 0.5F)}));
  builder.add(
      node_of("Constant", {}, {"c"}, {attribute("value_floats", std::vector<float>{3, 4})}));
  builder.add(node_of("Constant", {}, {"shape"},
                      {attribute("value_ints", std::vector<std::int64_t>{1, 2})}));
  const std::string sum = builder.node("Sum", {"x", "a", "b", "c"});
  builder.output(builder.node("Reshape", {sum, "shape"}), {1, 2});
  const Model before = builder.build();
  const PassResult result = constants_to_initializers(before);
  EXPECT_EQ(count(result.model, "Constant"), 0);
  EXPECT_EQ(result.model.graph.find_initializer("b")->values<float>()[0], 0.5F);
  EXPECT_EQ(largest_difference(before, result.model), 0);
  check_model(result.model);
}

TEST(ConstantsToInitializers, KeepsTheNodeOfAGraphOutput) {
  ModelBuilder builder;
  builder.add(node_of("Constant", {}, {"a"}, {attribute("value_float", 0.5F)}));
  builder.output("a", {});
  const PassResult result = constants_to_initializers(builder.build());
  EXPECT_EQ(text(result.notes), "Constant 'a' stays: it is a graph output");
}

TEST(PlainInitializers, TakesWeightsOutOfTheInputs) {
  ModelBuilder builder;
  builder.input("x", {2});
  builder.input("w", {2});
  builder.weight("w", {2}, {1, 2});
  builder.output(builder.node("Mul", {"x", "w"}), {2});
  const PassResult result = plain_initializers(builder.build());
  EXPECT_EQ(result.model.graph.inputs.size(), 1U);
  EXPECT_EQ(text(result.notes), "input 'w' is now the constant it had as default");
}

TEST(PlainInitializers, LeavesAModelWhoseEveryInputHasADefault) {
  ModelBuilder builder;
  builder.input("x", {2});
  builder.weight("x", {2}, {1, 2});
  builder.output(builder.node("Neg", {"x"}), {2});
  const Model before = builder.build();
  EXPECT_EQ(plain_initializers(before).model, before);
}

TEST(RemoveIdentities, RemovesCopiesAndKeepsOutputNames) {
  ModelBuilder builder;
  builder.input("x", {2});
  const std::string first = builder.node("Identity", {"x"});
  const std::string negated = builder.node("Neg", {first});
  const std::string dropped = builder.node("Dropout", {negated});
  const std::string cast = builder.node("Cast", {dropped}, {attribute("to", std::int64_t{1})});
  builder.output(builder.node("Identity", {cast}), {2});
  const Model before = builder.build();
  const PassResult result = remove_identities(before);
  EXPECT_EQ(result.model.graph.nodes.size(), 1U) << text(result.notes);
  EXPECT_EQ(result.model.graph.outputs, before.graph.outputs);
  EXPECT_EQ(largest_difference(before, result.model), 0);
}

TEST(RemoveIdentities, KeepsACopyOfAnInputOrOutputToAnOutput) {
  ModelBuilder builder;
  builder.input("x", {2});
  builder.output(builder.node("Identity", {"x"}), {2});
  const std::string negated = builder.node("Neg", {"x"});
  builder.output(negated, {2});
  builder.output(builder.node("Identity", {negated}), {2});
  const Model before = builder.build();
  const PassResult result = remove_identities(before);
  EXPECT_EQ(count(result.model, "Identity"), 2);
  EXPECT_EQ(largest_difference(before, result.model), 0);
}

TEST(RemoveIdentities, LeavesADropoutThatTrainsOrWhoseMaskIsUsed) {
  ModelBuilder builder;
  builder.input("x", {2});
  builder.add(node_of("Dropout", {"x"}, {"y", "mask"}));
  builder.output(builder.node("Neg", {"y"}), {2});
  builder.output("mask", {2}, DataType::boolean);
  builder.add(node_of("Dropout", {"x", "", builder.constant("yes", Tensor::scalar(true))}, {"z"}));
  builder.output(builder.node("Neg", {"z"}), {2});
  const PassResult result = remove_identities(builder.build());
  EXPECT_EQ(count(result.model, "Dropout"), 2);
  EXPECT_EQ(text(result.notes),
            "Dropout 'y_node' stays: its mask is used\nDropout 'z_node' stays: it trains");
}

TEST(RemoveIdentities, LeavesCastsToAnotherType) {
  ModelBuilder builder;
  builder.input("x", {2});
  const std::string cast = builder.node("Cast", {"x"}, {attribute("to", std::int64_t{7})});
  builder.output(builder.node("Neg", {cast}), {2}, DataType::int64);
  EXPECT_EQ(count(remove_identities(builder.build()).model, "Cast"), 1);
}

TEST(RemoveDeadNodes, RemovesAChainThatNothingReads) {
  ModelBuilder builder;
  builder.input("x", {2});
  const std::string dead = builder.node("Mul", {"x", builder.weight("unused", {2}, {1, 2})});
  (void)builder.node("Neg", {dead});
  builder.output(builder.node("Abs", {"x"}), {2});
  const PassResult result = remove_dead_nodes(builder.build());
  EXPECT_EQ(result.model.graph.nodes.size(), 1U);
  EXPECT_TRUE(result.model.graph.initializers.empty());
}

TEST(SplitSharedBiases, GivesEachLayerItsOwn) {
  ModelBuilder builder;
  builder.input("x", {-1, 2, 3, 3});
  const std::string bias = builder.random_weight("b", {2}, 1, 1);
  const std::string first =
      builder.node("Conv", {"x", builder.random_weight("w", {2, 2, 1, 1}, 1, 2), bias});
  builder.output(
      builder.node("Conv", {first, builder.random_weight("v", {2, 2, 1, 1}, 1, 3), bias}),
      {-1, 2, 3, 3});
  const Model before = builder.build();
  const Model after = split_shared_biases(before);
  EXPECT_EQ(after.graph.nodes[0].inputs[2], "b");
  EXPECT_EQ(after.graph.nodes[1].inputs[2], "b_1");
  EXPECT_EQ(largest_difference(before, after), 0);
}

TEST(SplitSharedBiases, KeepsTheOriginalForAReaderOfAnotherKind) {
  ModelBuilder builder;
  builder.input("x", {-1, 2});
  const std::string bias = builder.random_weight("b", {2}, 1, 1);
  const std::string gemm =
      builder.node("Gemm", {"x", builder.random_weight("w", {2, 2}, 1, 2), bias});
  builder.output(builder.node("Mul", {gemm, bias}), {-1, 2});
  const Model after = split_shared_biases(builder.build());
  EXPECT_EQ(after.graph.nodes[0].inputs[2], "b_1");
  EXPECT_EQ(after.graph.nodes[1].inputs[1], "b");
}

TEST(NonFiniteWeights, AreNamedWithTheirCounts) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  ModelBuilder builder;
  builder.input("x", {1, 2});
  const std::string product =
      builder.node("MatMul", {"x", builder.weight("w", {2, 2}, {kNan, -kInfinity, 1, 2})});
  builder.output(builder.node("Gemm", {product, builder.random_weight("v", {2, 2}, 1, 1),
                                       builder.weight("b", {2}, {kInfinity, 1})}),
                 {1, 2});
  EXPECT_EQ(non_finite_weights(builder.build()),
            (std::vector<std::string>{"weight 'w': 1 NaN, 1 infinite", "weight 'b': 1 infinite"}));
}

TEST(NonFiniteWeights, DoNotIncludeMasksAndTables) {
  const float infinity = std::numeric_limits<float>::infinity();
  ModelBuilder builder;
  builder.input("x", {2});
  builder.input("ids", {2}, DataType::int64);
  const std::string table =
      builder.node("Gather", {builder.weight("table", {2}, {-infinity, 0}), "ids"});
  const std::string scaled = builder.node("Mul", {table, builder.weight("nan", {2}, {NAN, 1})});
  builder.output(builder.node("Softmax", {builder.node("Add", {"x", scaled})}), {2});
  EXPECT_TRUE(non_finite_weights(builder.build()).empty());
}

}  // namespace
}  // namespace quantsearch::testing
