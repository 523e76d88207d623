#include "quantize/placement/range_rules.h"

#include <gtest/gtest.h>

#include "support/model_builder.h"

namespace quantsearch {
namespace {

using testing::ModelBuilder;

RangeSource source_in(const Model& model, const std::string& tensor) {
  const GraphIndex index(model.graph);
  return range_source({.graph = model.graph, .index = index}, tensor);
}

/// x -> Conv -> Relu -> Reshape -> Softmax -> y
Model conv_to_softmax() {
  ModelBuilder builder;
  builder.random_weight("w", {4, 3, 1, 1}, 1, 1);
  builder.constant("shape", Tensor::of<std::int64_t>({2}, {1, 16}));
  const std::string conv =
      builder.node("Conv", {builder.input("x", {1, 3, 2, 2}), "w"}, {}, "conv");
  const std::string relu = builder.node("Relu", {conv}, {}, "relu");
  const std::string flat = builder.node("Reshape", {relu, "shape"}, {}, "flat");
  builder.output(builder.node("Softmax", {flat}, {}, "softmax"), {1, 16});
  return builder.build();
}

TEST(RangeSource, ATensorThatOnlyAReluReadsTakesItsRange) {
  EXPECT_EQ(source_in(conv_to_softmax(), "conv_out").tensor, "relu_out");
}

TEST(RangeSource, LayoutOperatorsPassTheirInputsRangeOn) {
  EXPECT_EQ(source_in(conv_to_softmax(), "flat_out").tensor, "relu_out");
}

TEST(RangeSource, SoftmaxNeedsNoObservation) {
  EXPECT_EQ(source_in(conv_to_softmax(), "softmax_out").fixed, (Range{.low = 0, .high = 1}));
  EXPECT_FALSE(source_in(conv_to_softmax(), "x").fixed.has_value());
}

TEST(TensorsToObserve, AreAsFewAsTheRulesAllow) {
  EXPECT_EQ(tensors_to_observe(conv_to_softmax()), (std::vector<std::string>{"relu_out", "x"}));
}

TEST(TensorsToObserve, SkipWhatIsNotFloat) {
  ModelBuilder builder;
  builder.input("indices", {2}, DataType::int64);
  builder.random_weight("table", {5, 4}, 1, 1);
  const std::string rows = builder.node("Gather", {"table", "indices"}, {}, "rows");
  builder.output(builder.node("Sqrt", {rows}, {}, "root"), {2, 4});
  EXPECT_EQ(tensors_to_observe(builder.build()),
            (std::vector<std::string>{"root_out", "rows_out"}));
}

TEST(TensorsToObserve, SkipTheProductBeforeABias) {
  ModelBuilder builder;
  builder.random_weight("w", {4, 3}, 1, 1);
  builder.random_weight("b", {3}, 1, 2);
  const std::string product =
      builder.node("MatMul", {builder.input("x", {2, 4}), "w"}, {}, "matmul");
  builder.output(builder.node("Add", {product, "b"}, {}, "add"), {2, 3});
  EXPECT_EQ(tensors_to_observe(builder.build()), (std::vector<std::string>{"add_out", "x"}));
}

TEST(RangeSource, TensorsWithAnotherReaderKeepTheirOwn) {
  ModelBuilder builder;
  const std::string sqrt = builder.node("Sqrt", {builder.input("x", {2})}, {}, "sqrt");
  builder.output(builder.node("Relu", {sqrt}, {}, "relu"), {2});
  builder.output(builder.node("Tanh", {sqrt}, {}, "tanh"), {2});
  EXPECT_EQ(source_in(builder.build(), "sqrt_out").tensor, "sqrt_out");
}

TEST(RangeSource, GraphOutputsKeepTheirOwn) {
  ModelBuilder builder;
  const std::string sqrt = builder.node("Sqrt", {builder.input("x", {2})}, {}, "sqrt");
  builder.output(sqrt, {2});
  builder.output(builder.node("Relu", {sqrt}, {}, "relu"), {2});
  EXPECT_EQ(source_in(builder.build(), "sqrt_out").tensor, "sqrt_out");
}

TEST(RangeSource, TheSourceBeforeSeveralClampsIsTheLastOutput) {
  ModelBuilder builder;
  builder.constant("six", Tensor::scalar(6.0F));
  const std::string sqrt = builder.node("Sqrt", {builder.input("x", {2})}, {}, "sqrt");
  const std::string relu = builder.node("Relu", {sqrt}, {}, "relu");
  builder.output(builder.node("Clip", {relu, "", "six"}, {}, "clip"), {2});
  EXPECT_EQ(source_in(builder.build(), "sqrt_out").tensor, "clip_out");
}

TEST(RangeSource, AClipWhoseBoundsExcludeZeroIsNotTheSourceOfItsInput) {
  ModelBuilder builder;
  builder.constant("one", Tensor::scalar(1.0F));
  const std::string sqrt = builder.node("Sqrt", {builder.input("x", {2})}, {}, "sqrt");
  builder.output(builder.node("Clip", {sqrt, "one"}, {}, "clip"), {2});
  EXPECT_EQ(source_in(builder.build(), "sqrt_out").tensor, "sqrt_out");
}

TEST(RangeSource, TheSourceOfEveryOutputOfASplitIsTheInput) {
  ModelBuilder builder(13);
  builder.input("x", {4});
  Node split;
  split.op_type = "Split";
  split.name = "split";
  split.inputs = {"x"};
  split.outputs = {"left", "right"};
  split.set_attribute("axis", std::int64_t{0});
  builder.add(split);
  builder.output("left", {2});
  builder.output("right", {2});
  EXPECT_EQ(source_in(builder.build(), "right").tensor, "x");
}

TEST(ClampBounds, ReadAttributesInputsAndDefaults) {
  ModelBuilder builder;
  builder.constant("six", Tensor::scalar(6.0F));
  builder.input("x", {2});
  builder.input("computed", {});
  builder.node("Clip", {"x", "", "six"}, {}, "a");
  builder.node("Clip", {"x", "computed"}, {}, "b");
  const Model model = builder.build_unchecked();
  const GraphIndex index(model.graph);
  const auto bounds = clamp_bounds(model.graph.nodes[0], index);
  ASSERT_TRUE(bounds.has_value());
  EXPECT_EQ(bounds->high, 6);
  EXPECT_LT(bounds->low, -1e300);
  EXPECT_FALSE(clamp_bounds(model.graph.nodes[1], index).has_value());
  Node old;
  old.op_type = "Clip";
  old.inputs = {"x"};
  old.set_attribute("min", 0.0F);
  old.set_attribute("max", 1.0F);
  EXPECT_EQ(clamp_bounds(old, index)->high, 1);
}

}  // namespace
}  // namespace quantsearch
