#include "quantsearch/model.h"

#include <gtest/gtest.h>

#include <cmath>

namespace quantsearch {
namespace {

Node elu(float alpha) {
  Node node;
  node.op_type = "Elu";
  node.name = "e";
  node.set_attribute("alpha", alpha);
  return node;
}

TEST(Node, AttributesHaveDefaults) {
  const Node node = elu(2);
  EXPECT_EQ(node.float_attribute("alpha", 1), 2);
  EXPECT_EQ(node.float_attribute("beta", 1), 1);
  EXPECT_EQ(node.int_attribute("axis", -1), -1);
  EXPECT_EQ(node.string_attribute("mode", "m"), "m");
  EXPECT_EQ(node.ints_attribute("axes", {3}), (std::vector<std::int64_t>{3}));
  EXPECT_EQ(node.find_attribute("beta"), nullptr);
}

TEST(Node, AnAttributeOfAnotherTypeIsAnError) {
  try {
    (void)elu(2).int_attribute("alpha", 1);
    FAIL();
  } catch (const InvalidInput& error) {
    EXPECT_STREQ(error.what(), "attribute 'alpha' of Elu 'e' is not of type int");
  }
}

TEST(Node, SettingAnAttributeReplacesIt) {
  Node node = elu(2);
  node.set_attribute("alpha", 3.0F);
  EXPECT_EQ(node.attributes.size(), 1U);
  EXPECT_EQ(node.float_attribute("alpha", 0), 3);
  node.remove_attribute("alpha");
  EXPECT_TRUE(node.attributes.empty());
}

TEST(Node, InputsBeyondTheEndAreOmitted) {
  Node node;
  node.inputs = {"a", ""};
  EXPECT_EQ(node.input(0), "a");
  EXPECT_EQ(node.input(1), "");
  EXPECT_EQ(node.input(7), "");
}

TEST(Attribute, ANanEqualsItself) {
  EXPECT_EQ(elu(std::nanf("")), elu(std::nanf("")));
  EXPECT_NE(elu(0.0F), elu(-0.0F));
}

TEST(Attribute, GraphsAreComparedByContent) {
  Graph body;
  body.name = "b";
  Attribute left{.name = "body", .value = std::make_shared<const Graph>(body)};
  Attribute right{.name = "body", .value = std::make_shared<const Graph>(body)};
  EXPECT_EQ(left, right);
  body.name = "c";
  right.value = std::make_shared<const Graph>(body);
  EXPECT_NE(left, right);
}

TEST(ValueInfoText, ShowsSizesSymbolsAndWhatIsUnknown) {
  ValueInfo value{
      .name = "x", .type = DataType::float32, .dimensions = std::vector<Dimension>{}, .extra = ""};
  EXPECT_EQ(to_string(value), "float32 []");
  value.dimensions = {{.size = std::nullopt, .symbol = "batch"}, {.size = 3, .symbol = ""}, {}};
  EXPECT_EQ(to_string(value), "float32 [batch, 3, ?]");
  value.dimensions.reset();
  EXPECT_EQ(to_string(value), "float32 of unknown rank");
  value.type = DataType::undefined;
  EXPECT_EQ(to_string(value), "unknown type");
}

TEST(Graph, FindsByName) {
  Graph graph;
  graph.outputs.push_back({.name = "y", .type = DataType::int8, .dimensions = {}, .extra = ""});
  graph.initializers.push_back(
      {.name = "w", .tensor = std::make_shared<const Tensor>(Tensor::scalar(1.0F))});
  EXPECT_EQ(graph.find_value("y")->type, DataType::int8);
  EXPECT_EQ(graph.find_value("z"), nullptr);
  EXPECT_EQ(graph.find_initializer("w")->size(), 1);
  EXPECT_EQ(graph.find_initializer("y"), nullptr);
}

TEST(Model, OpsetIsZeroWithoutAnImport) {
  Model model;
  EXPECT_EQ(model.opset(), 0);
  model.opsets[""] = 17;
  EXPECT_EQ(model.opset(), 17);
}

}  // namespace
}  // namespace quantsearch
