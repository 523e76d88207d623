#include "precision/suffix.h"

#include <gtest/gtest.h>

#include "support/model_builder.h"

namespace quantsearch {
namespace {

using Names = std::vector<std::string>;
using testing::ModelBuilder;

/// x -> MatMul a -> Relu -> MatMul b -> y, with a shortcut from the Relu to the output.
Model two_products(float second_weight = 3) {
  ModelBuilder builder;
  builder.input("x", {-1, 1});
  builder.weight("wa", {1, 1}, {2});
  builder.weight("wb", {1, 1}, {second_weight});
  const std::string positive =
      builder.node("Relu", {builder.node("MatMul", {"x", "wa"}, {}, "a")}, {}, "r");
  const std::string product = builder.node("MatMul", {positive, "wb"}, {}, "b");
  builder.output(builder.node("Add", {product, positive}, {}, "y"), {-1, 1});
  return builder.build();
}

ValueInfo float_value(const std::string& name) {
  return {.name = name, .type = DataType::float32, .dimensions = std::nullopt, .extra = {}};
}

Names op_types(const Graph& graph) {
  Names types;
  for (const Node& node : graph.nodes) types.push_back(node.op_type);
  return types;
}

TEST(EqualTensors, EndWhereAConstantDiffers) {
  const TensorNames equal = equal_tensors(two_products(3), two_products(4));
  EXPECT_EQ(equal, (TensorNames{"x", "wa", "a_out", "r_out"}));
}

TEST(EqualTensors, IgnoreNamesOfNodesAndSeeAttributes) {
  const Model base = two_products();
  Model other = base;
  other.graph.nodes[0].name = "another name";
  EXPECT_TRUE(equal_tensors(base, other).contains("y_out"));
  other.graph.nodes[1].set_attribute("alpha", 0.5F);
  EXPECT_FALSE(equal_tensors(base, other).contains("r_out"));
  EXPECT_FALSE(equal_tensors(base, other).contains("y_out"));
}

TEST(CutPoints, NameWhatIsAliveBeforeEachLayer) {
  const std::vector<CutPoint> places = cut_points(two_products().graph, {"MatMul"});
  // Before the first MatMul there is only the input.
  ASSERT_EQ(places.size(), 1U);
  EXPECT_EQ(places[0], (CutPoint{.node = 2, .tensors = {"r_out"}}));
}

TEST(CutPoints, KeepIntegersInPlaceOfDequantizedValues) {
  ModelBuilder builder;
  builder.input("x", {-1, 1});
  builder.weight("scale", {}, {0.5F});
  builder.constant("zero", Tensor::scalar<std::uint8_t>(0));
  builder.weight("w", {1, 1}, {2});
  const std::string integers = builder.node("QuantizeLinear", {"x", "scale", "zero"}, {}, "q");
  const std::string values = builder.node("DequantizeLinear", {integers, "scale", "zero"}, {}, "d");
  builder.output(builder.node("MatMul", {values, "w"}, {}, "m"), {-1, 1});
  const std::vector<CutPoint> places = cut_points(builder.build().graph, {"MatMul"});
  ASSERT_EQ(places.size(), 1U);
  EXPECT_EQ(places[0].tensors, Names{"q_out"});
}

TEST(AffordableTensors, AreThoseOfAsManyPlacesAsFit) {
  const std::vector<CutPoint> places = {{.node = 1, .tensors = {"a"}},
                                        {.node = 2, .tensors = {"b"}},
                                        {.node = 3, .tensors = {"c"}},
                                        {.node = 4, .tensors = {"d"}}};
  const std::map<std::string, std::int64_t> bytes = {{"a", 8}, {"b", 4}, {"c", 2}, {"d", 6}};
  EXPECT_EQ(affordable_tensors(places, bytes, 20), (TensorNames{"a", "b", "c", "d"}));
  EXPECT_EQ(affordable_tensors(places, bytes, 19), (TensorNames{"b", "c"}));
  EXPECT_EQ(affordable_tensors(places, bytes, 5), TensorNames{"c"});
  EXPECT_EQ(affordable_tensors(places, bytes, 1), TensorNames{});
}

TEST(Suffix, BeginsAtTheGivenTensors) {
  const Suffix suffix = suffix_of(two_products(), {"y_out"}, {{"r_out", float_value("r_out")}});
  EXPECT_EQ(op_types(suffix.model.graph), (Names{"MatMul", "Add"}));
  EXPECT_EQ(suffix.given, Names{"r_out"});
  EXPECT_TRUE(suffix.inputs.empty());
  ASSERT_EQ(suffix.model.graph.initializers.size(), 1U);
  EXPECT_EQ(suffix.model.graph.initializers[0].name, "wb");
  check_model(suffix.model);
}

TEST(Suffix, TakesTheInputsThatTheGivenTensorsDoNotReplace) {
  // b_out hides only one of the two ways from the input to the output.
  const Suffix suffix = suffix_of(two_products(), {"y_out"}, {{"b_out", float_value("b_out")}});
  EXPECT_EQ(op_types(suffix.model.graph), (Names{"MatMul", "Relu", "Add"}));
  EXPECT_EQ(suffix.given, Names{"b_out"});
  EXPECT_EQ(suffix.inputs, Names{"x"});
  check_model(suffix.model);
}

TEST(Suffix, LeavesOutWhatReachesNoOutput) {
  Model model = two_products();
  model.graph.outputs.push_back(float_value("r_out"));
  const Suffix suffix = suffix_of(model, {"r_out"}, {{"b_out", float_value("b_out")}});
  EXPECT_EQ(op_types(suffix.model.graph), (Names{"MatMul", "Relu"}));
  EXPECT_TRUE(suffix.given.empty());
}

TEST(Suffix, ComputesAGivenTensorWhoseNodeIsNeeded) {
  ModelBuilder builder;
  builder.input("x", {-1, 2});
  builder.add({.op_type = "Split",
               .domain = "",
               .name = "split",
               .inputs = {"x"},
               .outputs = {"left", "right"},
               .attributes = {{.name = "axis", .value = std::int64_t{1}}},
               .extra = {}});
  builder.output(builder.node("Add", {"left", "right"}, {}, "sum"), {-1, 1});
  const Suffix suffix = suffix_of(builder.build(), {"sum_out"}, {{"left", float_value("left")}});
  EXPECT_TRUE(suffix.given.empty());
  EXPECT_EQ(suffix.inputs, Names{"x"});
  check_model(suffix.model);
}

TEST(Suffix, KeepsWhatBodiesRead) {
  ModelBuilder body;
  body.output(body.node("Add", {"outer", "x"}, {}, "inside"), {-1, 1});
  const Attribute branch{.name = "then_branch",
                         .value = std::make_shared<const Graph>(body.build_unchecked().graph)};
  Attribute other = branch;
  other.name = "else_branch";
  ModelBuilder builder;
  builder.input("x", {-1, 1});
  builder.input("choice", {1}, DataType::boolean);
  builder.weight("w", {1, 1}, {2});
  builder.node("MatMul", {"x", "w"}, {}, "m");
  builder.node("Relu", {"m_out"}, {}, "outer_maker");
  Model model = builder.build_unchecked();
  model.graph.nodes[1].outputs = {"outer"};
  model.graph.nodes.push_back({.op_type = "If",
                               .domain = "",
                               .name = "choose",
                               .inputs = {"choice"},
                               .outputs = {"y"},
                               .attributes = {branch, other},
                               .extra = {}});
  model.graph.outputs.push_back(float_value("y"));
  const Suffix suffix = suffix_of(model, {"y"}, {{"m_out", float_value("m_out")}});
  EXPECT_EQ(op_types(suffix.model.graph), (Names{"Relu", "If"}));
  EXPECT_EQ(suffix.given, Names{"m_out"});
  EXPECT_EQ(suffix.inputs, (Names{"x", "choice"}));
}

}  // namespace
}  // namespace quantsearch
