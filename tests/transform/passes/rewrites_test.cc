// Tests of Div -> Mul, HardSwish in parts, ReduceMean -> GlobalAveragePool and Flatten -> Reshape.

#include <gtest/gtest.h>

#include <limits>

#include "transform/pass_test.h"

namespace quantsearch::testing {
namespace {

Model division_by(const std::vector<float>& divisor) {
  ModelBuilder builder;
  builder.input("x", {-1, std::ssize(divisor)});
  builder.output(builder.node("Div", {"x", builder.weight("c", {std::ssize(divisor)}, divisor)}),
                 {-1, std::ssize(divisor)});
  return builder.build();
}

TEST(DivToMul, IsExactForPowersOfTwo) {
  const Model before = division_by({2, -0.25F, 1024});
  const PassResult result = div_to_mul(before);
  EXPECT_EQ(count(result.model, "Mul"), 1);
  EXPECT_EQ(largest_difference(before, result.model), 0);
  EXPECT_EQ(text(result.notes), "Div 'Div0' became Mul, exactly");
}

TEST(DivToMul, NotesWhenItRounds) {
  const Model before = division_by({6, 3});
  const PassResult result = div_to_mul(before);
  EXPECT_LE(largest_difference(before, result.model), 1e-7);
  EXPECT_EQ(text(result.notes), "Div 'Div0' became Mul, within 1.5 units in the last place");
}

TEST(DivToMul, LeavesZeroInfinityAndSubnormalsAlone) {
  for (const float value : {0.0F, std::numeric_limits<float>::infinity(), 1e-41F, 3e38F}) {
    const Model before = division_by({value});
    EXPECT_EQ(div_to_mul(before).model.graph.nodes, before.graph.nodes) << value;
  }
}

TEST(DivToMul, LeavesIntegersAndConstantNumeratorsAlone) {
  ModelBuilder builder;
  builder.input("x", {2});
  builder.input("i", {2}, DataType::int64);
  builder.output(builder.node("Div", {builder.weight("c", {2}, {2, 4}), "x"}), {2});
  builder.output(builder.node("Div", {"i", builder.constant("k", Tensor::scalar<std::int64_t>(2))}),
                 {2}, DataType::int64);
  const Model before = builder.build();
  EXPECT_EQ(div_to_mul(before).model.graph.nodes, before.graph.nodes);
}

/// Parts of HardSwish: where the factor 1/6 stands, and whether x multiplies.
Model in_parts(bool factor_first, bool multiplies, std::int64_t opset, float top = 6) {
  ModelBuilder builder(opset);
  builder.input("x", {2, 8});
  const std::string sum = builder.node("Add", {"x", builder.weight("three", {}, {3})});
  builder.weight("low", {}, {0});
  builder.weight("top", {}, {top});
  std::string value = builder.node("Clip", {sum, "low", "top"});
  builder.weight("sixth", {1}, {1.0F / 6});
  if (factor_first) value = builder.node("Mul", {value, "sixth"});
  if (multiplies) value = builder.node("Mul", {"x", value});
  if (!factor_first) value = builder.node("Mul", {"sixth", value}, {}, "last");
  builder.output(value, {2, 8});
  return builder.build();
}

TEST(GatherHardSwish, FindsItInEveryOrder) {
  for (const bool factor_first : {false, true}) {
    const Model before = in_parts(factor_first, true, 17);
    const PassResult result = gather_hard_swish(before);
    EXPECT_EQ(result.model.graph.nodes.size(), 1) << factor_first;
    EXPECT_EQ(count(result.model, "HardSwish"), 1) << factor_first;
    EXPECT_EQ(result.model.graph.outputs, before.graph.outputs);
    EXPECT_LE(largest_difference(before, result.model), 1e-6) << factor_first;
  }
}

TEST(GatherHardSwish, IsAGateAndAProductBeforeOpset14) {
  for (const bool factor_first : {false, true}) {
    const Model before = in_parts(factor_first, true, 13);
    const PassResult result = gather_hard_swish(before);
    EXPECT_EQ(result.model.graph.nodes.size(), 2) << factor_first;
    EXPECT_EQ(count(result.model, "HardSigmoid"), 1) << factor_first;
    EXPECT_LE(largest_difference(before, result.model), 1e-6) << factor_first;
  }
}

TEST(GatherHardSwish, FindsAGateAlone) {
  const Model before = in_parts(true, false, 17);
  const PassResult result = gather_hard_swish(before);
  EXPECT_EQ(result.model.graph.nodes.size(), 1);
  EXPECT_EQ(count(result.model, "HardSigmoid"), 1);
  EXPECT_LE(largest_difference(before, result.model), 1e-6);
}

TEST(GatherHardSwish, LeavesOtherClipsAlone) {
  const Model before = in_parts(true, true, 17, 5);
  EXPECT_EQ(gather_hard_swish(before).model.graph.nodes, before.graph.nodes);
  // The sum is read elsewhere, too.
  Model read_twice = in_parts(true, true, 17);
  read_twice.graph.outputs.push_back(
      {.name = read_twice.graph.nodes[0].outputs[0], .type = DataType::float32, .dimensions = {}});
  EXPECT_EQ(gather_hard_swish(read_twice).model.graph.nodes, read_twice.graph.nodes);
}

Model mean_over(const Shape& input, const std::vector<std::int64_t>& axes, std::int64_t keepdims,
                std::int64_t opset) {
  ModelBuilder builder(opset);
  builder.input("x", input);
  if (opset < 18) {
    builder.output(builder.node("ReduceMean", {"x"},
                                {attribute("axes", axes), attribute("keepdims", keepdims)}));
  } else {
    const std::string constant =
        builder.constant("axes", Tensor::of<std::int64_t>({std::ssize(axes)}, axes));
    builder.output(builder.node("ReduceMean", {"x", constant}, {attribute("keepdims", keepdims)}));
  }
  return inferred(builder);
}

TEST(ReduceMeanToGlobalPool, AcceptsSpatialAxesInAnyForm) {
  for (const std::int64_t opset : {11, 13, 18}) {
    for (const std::int64_t keepdims : {0, 1}) {
      for (const auto& axes : std::vector<std::vector<std::int64_t>>{{2, 3}, {-1, -2}}) {
        const Model before = mean_over({-1, 3, 5, 7}, axes, keepdims, opset);
        const PassResult result = reduce_mean_to_global_pool(before);
        EXPECT_EQ(count(result.model, "GlobalAveragePool"), 1) << text(result.notes);
        EXPECT_EQ(count(result.model, "Squeeze"), keepdims == 0 ? 1 : 0);
        EXPECT_LE(largest_difference(before, result.model), 1e-6);
      }
    }
  }
}

TEST(ReduceMeanToGlobalPool, LeavesOtherAxesAndRanksAlone) {
  for (const auto& axes : std::vector<std::vector<std::int64_t>>{{2}, {1, 2}, {1, 2, 3}, {3}}) {
    EXPECT_EQ(count(reduce_mean_to_global_pool(mean_over({-1, 3, 5, 7}, axes, 1, 17)).model,
                    "ReduceMean"),
              1);
  }
  EXPECT_EQ(
      count(reduce_mean_to_global_pool(mean_over({-1, 3, 5}, {1, 2}, 1, 17)).model, "ReduceMean"),
      1);
}

TEST(FlattenToReshape, GivesTheSameOutputForEveryAxis) {
  for (const std::int64_t axis : {0, 1, 2, 3, -1}) {
    ModelBuilder builder;
    builder.input(
        "x", axis == 0 ? std::vector<std::int64_t>{2, 3, 4} : std::vector<std::int64_t>{-1, 3, 4});
    builder.output(builder.node("Flatten", {"x"}, {attribute("axis", axis)}));
    const Model before = inferred(builder);
    const PassResult result = flatten_to_reshape(before);
    EXPECT_EQ(count(result.model, "Reshape"), 1) << axis;
    EXPECT_EQ(largest_difference(before, result.model, 5), 0) << axis;
  }
}

TEST(FlattenToReshape, StaysWhenBothSizesAreOpen) {
  ModelBuilder builder;
  builder.input("x", {-1, 3, -1});
  builder.output(builder.node("Flatten", {"x"}));
  const PassResult result = flatten_to_reshape(inferred(builder));
  EXPECT_EQ(text(result.notes), "Flatten 'Flatten0' stays: the sizes of its input are not known");
}

}  // namespace
}  // namespace quantsearch::testing
