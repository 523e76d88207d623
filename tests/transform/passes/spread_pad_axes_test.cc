#include <gtest/gtest.h>

#include "transform/pass_test.h"

namespace quantsearch::testing {
namespace {

Tensor integers(const std::vector<std::int64_t>& values) {
  return Tensor::of<std::int64_t>({std::ssize(values)}, values);
}

struct PadModel {
  std::vector<std::int64_t> pads;
  std::vector<std::int64_t> axes;
  std::string mode = "constant";
  bool has_value = false;
};

/// x [2, 3, 4] -> Pad over `axes`.
Model padded(const PadModel& pad) {
  ModelBuilder builder(18);
  builder.input("x", {2, 3, 4});
  const std::string value =
      pad.has_value ? builder.constant("value", Tensor::scalar<float>(3.5F)) : "";
  builder.output(builder.node("Pad",
                              {"x", builder.constant("pads", integers(pad.pads)), value,
                               builder.constant("axes", integers(pad.axes))},
                              {attribute("mode", pad.mode)}, "pad"));
  return inferred(builder);
}

std::vector<std::int64_t> pads_of(const Model& model) {
  const Node& pad = model.graph.nodes.at(0);
  const auto values = GraphIndex(model.graph).initializer(pad.input(1))->values<std::int64_t>();
  return {values.begin(), values.end()};
}

TEST(SpreadPadAxes, GivesEveryAxisItsAmounts) {
  const Model before = padded({.pads = {1, 2, 3, 4}, .axes = {2, 0}, .has_value = true});
  const PassResult result = spread_pad_axes(before);
  // The amounts at the start of axes 0, 1 and 2, then at their end.
  EXPECT_EQ(pads_of(result.model), (std::vector<std::int64_t>{2, 0, 1, 4, 0, 3}));
  EXPECT_EQ(result.model.graph.nodes[0].inputs, (std::vector<std::string>{"x", "pads", "value"}));
  EXPECT_EQ(largest_difference(before, result.model), 0);
  EXPECT_EQ(text(result.notes), "Pad 'pad' became a Pad of all axes");
}

TEST(SpreadPadAxes, CountsNegativeAxesFromTheEndAndKeepsNegativeAmounts) {
  const Model before = padded({.pads = {-1, 1, 2, -1}, .axes = {-1, -2}, .mode = "edge"});
  const PassResult result = spread_pad_axes(before);
  EXPECT_EQ(pads_of(result.model), (std::vector<std::int64_t>{0, 1, -1, 0, -1, 2}));
  EXPECT_EQ(result.model.graph.nodes[0].inputs, (std::vector<std::string>{"x", "pads"}));
  EXPECT_EQ(largest_difference(before, result.model), 0);
}

TEST(SpreadPadAxes, LeavesAPadWithoutAxesAlone) {
  ModelBuilder builder(18);
  builder.input("x", {2, 3});
  builder.output(
      builder.node("Pad", {"x", builder.constant("pads", integers({0, 1, 0, 1}))}, {}, "pad"));
  const Model before = inferred(builder);
  EXPECT_EQ(spread_pad_axes(before).model.graph.nodes, before.graph.nodes);
}

TEST(SpreadPadAxes, LeavesAxesThatAreComputed) {
  ModelBuilder builder(18);
  builder.input("x", {2, 3});
  builder.input("axes", {1}, DataType::int64);
  builder.output(builder.node("Pad", {"x", builder.constant("pads", integers({1, 1})), "", "axes"},
                              {}, "pad"));
  const Model before = inferred(builder);
  const PassResult result = spread_pad_axes(before);
  EXPECT_EQ(result.model.graph.nodes, before.graph.nodes);
  EXPECT_EQ(text(result.notes), "Pad 'pad' keeps its axes: its pads or axes are not constant");
}

TEST(SpreadPadAxes, LeavesAnInputOfUnknownRank) {
  ModelBuilder builder(18);
  builder.input("x", {6});
  builder.input("shape", {-1}, DataType::int64);
  builder.node("Reshape", {"x", "shape"}, {}, "view");
  builder.output(builder.node("Pad",
                              {"view_out", builder.constant("pads", integers({1, 1})), "",
                               builder.constant("axes", integers({0}))},
                              {}, "pad"));
  const PassResult result = spread_pad_axes(inferred(builder));
  EXPECT_EQ(result.model.graph.nodes[1].inputs.size(), 4U);
  EXPECT_EQ(text(result.notes), "Pad 'pad' keeps its axes: the rank of its input is not known");
}

}  // namespace
}  // namespace quantsearch::testing
