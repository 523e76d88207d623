#include <gtest/gtest.h>

#include "transform/pass_test.h"

namespace quantsearch::testing {
namespace {

// Conv with 3 output channels -> op by a constant of `shape`.
Model conv_then(const std::string& op_type, const Shape& shape, bool constant_first = false) {
  ModelBuilder builder;
  builder.input("x", {-1, 2, 3, 3});
  const std::string conv =
      builder.node("Conv", {"x", builder.random_weight("w", {3, 2, 1, 1}, 1, 5)});
  const std::string constant = builder.random_weight("c", shape, 1, 6);
  builder.output(constant_first ? builder.node(op_type, {constant, conv})
                                : builder.node(op_type, {conv, constant}));
  return inferred(builder);
}

TEST(FoldChannelConstants, FoldsConstantsThatActPerChannel) {
  for (const std::string op_type : {"Mul", "Add"}) {
    for (const Shape& shape : std::vector<Shape>{{1, 3, 1, 1}, {3, 1, 1}, {1, 1, 1, 1}, {1}, {}}) {
      for (const bool constant_first : {false, true}) {
        const Model before = conv_then(op_type, shape, constant_first);
        const PassResult result = fold_channel_constants(before);
        EXPECT_EQ(result.model.graph.nodes.size(), 1U)
            << op_type << to_string(shape) << text(result.notes);
        EXPECT_LE(largest_difference(before, result.model), 1e-6);
      }
    }
  }
}

TEST(FoldChannelConstants, LeavesOtherShapesAlone) {
  // These constants act along the width or over the batch, or have a higher rank.
  for (const Shape& shape :
       std::vector<Shape>{{3}, {3, 1}, {2, 1, 1, 1}, {3, 3, 3}, {1, 1, 3, 1, 1}}) {
    const Model before = conv_then("Mul", shape);
    EXPECT_EQ(fold_channel_constants(before).model.graph.nodes, before.graph.nodes)
        << to_string(shape);
  }
}

TEST(FoldChannelConstants, ScalingAloneAddsNoBias) {
  const PassResult result = fold_channel_constants(conv_then("Mul", {3, 1, 1}));
  EXPECT_EQ(result.model.graph.nodes[0].inputs.size(), 2U);
}

TEST(FoldChannelConstants, FoldsAChainIntoOneLayer) {
  ModelBuilder builder;
  builder.input("x", {-1, 4});
  const std::string gemm = builder.node("Gemm", {"x", builder.random_weight("w", {4, 3}, 1, 5),
                                                 builder.random_weight("b", {3}, 1, 6)});
  const std::string scaled = builder.node("Mul", {gemm, builder.random_weight("s", {3}, 1, 7)});
  builder.output(builder.node("Add", {scaled, builder.random_weight("t", {3}, 1, 8)}), {-1, 3});
  const Model before = builder.build();
  const PassResult result = fold_channel_constants(before);
  EXPECT_EQ(result.model.graph.nodes.size(), 1U);
  EXPECT_LE(largest_difference(before, result.model), 1e-6);
}

TEST(FoldChannelConstants, LeavesTheBiasOfMatMulAlone) {
  ModelBuilder builder;
  builder.input("x", {-1, 4});
  const std::string product =
      builder.node("MatMul", {"x", builder.random_weight("w", {4, 3}, 1, 5)});
  builder.output(builder.node("Add", {product, builder.random_weight("b", {3}, 1, 6)}), {-1, 3});
  const Model before = builder.build();
  EXPECT_EQ(fold_channel_constants(before).model, before);
}

TEST(FoldChannelConstants, StaysWhenTheConvIsUsedTwice) {
  ModelBuilder builder;
  builder.input("x", {-1, 2, 3, 3});
  const std::string conv =
      builder.node("Conv", {"x", builder.random_weight("w", {3, 2, 1, 1}, 1, 5)});
  builder.output(builder.node("Mul", {conv, builder.random_weight("c", {3, 1, 1}, 1, 6)}),
                 {-1, 3, 3, 3});
  builder.output(builder.node("Relu", {conv}), {-1, 3, 3, 3});
  const Model before = builder.build();
  const PassResult result = fold_channel_constants(before);
  EXPECT_EQ(result.model.graph.nodes, before.graph.nodes);
  EXPECT_EQ(text(result.notes), "Mul 'Mul1' stays: 'Conv0_out' is also used elsewhere");
}

}  // namespace
}  // namespace quantsearch::testing
