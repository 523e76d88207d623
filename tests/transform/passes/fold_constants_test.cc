#include <gtest/gtest.h>

#include "transform/pass_test.h"

namespace quantsearch::testing {
namespace {

Tensor int64s(const std::vector<std::int64_t>& values) {
  return Tensor::of<std::int64_t>({std::ssize(values)}, values);
}

TEST(FoldConstants, ComputesAChainOfConstants) {
  ModelBuilder builder;
  builder.input("x", {2});
  const std::string sum =
      builder.node("Add", {builder.weight("a", {2}, {1, 2}), builder.weight("b", {2}, {3, 4})});
  const std::string root = builder.node("Sqrt", {sum});
  builder.output(builder.node("Mul", {"x", root}), {2});
  const Model before = builder.build();
  const PassResult result = fold_constants(before);
  ASSERT_EQ(result.model.graph.nodes.size(), 1U);
  EXPECT_EQ(result.model.graph.initializers.size(), 1U);
  EXPECT_FLOAT_EQ(result.model.graph.find_initializer(root)->values<float>()[0], 2);
  EXPECT_EQ(largest_difference(before, result.model), 0);
}

TEST(FoldConstants, ComputesTheShapeOfATensorThatIsNotConstant) {
  ModelBuilder builder;
  builder.input("x", {2, 3, 4});
  const std::string part = builder.node("Shape", {"x"}, {attribute("start", std::int64_t{-2})});
  const std::string size = builder.node("Size", {"x"});
  builder.output(builder.node("Mul", {part, size}), {2}, DataType::int64);
  const PassResult result = fold_constants(builder.build());
  EXPECT_EQ(to_int64s(*result.model.graph.find_initializer(part)),
            (std::vector<std::int64_t>{3, 4}));
  EXPECT_EQ(to_int64s(*result.model.graph.find_initializer(size)), (std::vector<std::int64_t>{24}));
}

TEST(FoldConstants, LeavesShapesWithOpenDimensionsAlone) {
  ModelBuilder builder;
  builder.input("x", {-1, 3});
  builder.output(builder.node("Neg", {builder.node("Shape", {"x"})}), {2}, DataType::int64);
  const Model before = builder.build();
  EXPECT_EQ(fold_constants(before).model.graph.nodes, before.graph.nodes);
}

TEST(FoldConstants, DoesNotInflateTheModel) {
  ModelBuilder builder;
  builder.input("x", {1});
  const std::string big =
      builder.node("ConstantOfShape", {builder.constant("shape", int64s({1000, 1000, 100}))});
  builder.output(builder.node("Add", {"x", big}));
  const Model before = inferred(builder);
  const PassResult result = fold_constants(before);
  EXPECT_EQ(result.model.graph.nodes, before.graph.nodes);
  EXPECT_EQ(text(result.notes),
            "ConstantOfShape 'ConstantOfShape0' stays: its result of 400000000 bytes would inflate "
            "the model");
}

// 16,000 elements are 64,000 bytes: one such constant fits into the 65,536 that all folding
// together may add, two do not. The larger goes back to its node.
TEST(FoldConstants, AddsAtMost64KilobytesInAll) {
  ModelBuilder builder;
  builder.input("x", {1});
  const std::string first =
      builder.node("ConstantOfShape", {builder.constant("first", int64s({1, 15000}))});
  const std::string second =
      builder.node("ConstantOfShape", {builder.constant("second", int64s({16000, 1}))});
  builder.output(builder.node("Add", {builder.node("Add", {"x", first}), second}));
  const PassResult result = fold_constants(inferred(builder));
  EXPECT_EQ(text(result.notes),
            "ConstantOfShape 'ConstantOfShape1' stays: its result of 64000 bytes would inflate the "
            "model\n1 nodes computed");
  EXPECT_EQ(count(result.model, "ConstantOfShape"), 1);
}

// Intermediate results do not count: 400,000 bytes become 4.
TEST(FoldConstants, ComputesALargeConstantThatBecomesSmall) {
  ModelBuilder builder;
  builder.input("x", {1});
  const std::string large =
      builder.node("ConstantOfShape", {builder.constant("shape", int64s({1000, 100}))});
  builder.output(builder.node("Add", {"x", builder.node("ReduceMax", {large})}));
  const PassResult result = fold_constants(inferred(builder));
  EXPECT_EQ(text(result.notes), "2 nodes computed");
  EXPECT_EQ(result.model.graph.nodes.size(), 1U);
}

// A weight is quantized regardless of what it is computed from, so its 102,400 bytes do not count.
TEST(FoldConstants, ComputesEveryWeight) {
  ModelBuilder builder;
  builder.input("x", {1, 400});
  const std::string weight =
      builder.node("ConstantOfShape", {builder.constant("shape", int64s({400, 64}))});
  builder.output(builder.node("MatMul", {"x", weight}), {1, 64});
  EXPECT_EQ(count(fold_constants(inferred(builder)).model, "ConstantOfShape"), 0);
}

TEST(FoldConstants, LeavesRandomAndQuantizedValuesAlone) {
  ModelBuilder builder;
  builder.input("x", {2});
  const std::string random = builder.node("RandomNormalLike", {builder.weight("a", {2}, {1, 2})});
  const std::string weight = builder.node(
      "DequantizeLinear",
      {builder.constant("q", Tensor::of<std::int8_t>({2}, std::vector<std::int8_t>{1, 2})),
       builder.constant("s", Tensor::scalar(0.5F))});
  builder.output(builder.node("Sum", {"x", random, weight}), {2});
  const Model before = builder.build();
  EXPECT_EQ(fold_constants(before).model.graph.nodes, before.graph.nodes);
}

TEST(FoldConstants, KeepsTheNodeOfAGraphOutput) {
  ModelBuilder builder;
  builder.output(builder.node("Neg", {builder.weight("a", {2}, {1, 2})}), {2});
  const PassResult result = fold_constants(builder.build());
  EXPECT_EQ(text(result.notes), "Neg 'Neg0' stays: it names a graph output");
}

TEST(FoldConstants, LeavesNodesAloneThatTheRuntimeRefuses) {
  ModelBuilder builder;
  builder.input("x", {2});
  const std::string odd = builder.node(
      "Gather", {builder.weight("a", {2}, {1, 2}), builder.constant("i", int64s({5}))});
  builder.output(builder.node("Add", {"x", odd}), {2});
  const Model before = builder.build();
  EXPECT_EQ(fold_constants(before).model.graph.nodes, before.graph.nodes);
}

}  // namespace
}  // namespace quantsearch::testing
