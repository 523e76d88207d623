#include "precision/layers.h"

#include <gtest/gtest.h>

#include "precision/setting.h"
#include "quantsearch/base/error.h"

namespace quantsearch {
namespace {

using testing::ModelBuilder;

std::string conv(ModelBuilder& builder, const std::string& input, const std::string& name) {
  return builder.node("Conv", {input, builder.random_weight(name + ".w", {3, 3, 1, 1}, 1, 1)}, {},
                      name);
}

/// Two Convs, left and right, of x, then their sum, a product with a constant and a third Conv.
Model branches() {
  ModelBuilder builder;
  const std::string x = builder.input("x", {1, 3, 4, 4});
  const std::string left = builder.node("Relu", {conv(builder, x, "left")}, {}, "relu");
  const std::string sum = builder.node("Add", {left, conv(builder, x, "right")}, {}, "sum");
  builder.random_weight("factor", {1, 3, 1, 1}, 1, 4);
  const std::string product = builder.node("Mul", {sum, "factor"}, {}, "product");
  builder.output(conv(builder, product, "third"), {1, 3, 4, 4});
  return builder.build();
}

std::vector<std::string> members_of(const Layer& layer) {
  std::vector<std::string> labels;
  for (const Member& member : layer.members) labels.push_back(member.label);
  return labels;
}

using Names = std::vector<std::string>;

TEST(Layers, OperatorsBelongToTheLatestLayerThatTheyRead) {
  const std::vector<Layer> layers = find_layers(branches(), {}, {});
  ASSERT_EQ(layers.size(), 3U);
  EXPECT_EQ(members_of(layers[0]), Names{"left"});  // a Relu has no format of its own
  EXPECT_EQ(members_of(layers[1]), (Names{"right", "sum", "product"}));
  EXPECT_EQ(members_of(layers[2]), Names{"third"});
  EXPECT_TRUE(layers[1].members[0].has_weight);
  EXPECT_FALSE(layers[1].members[1].has_weight);
}

TEST(Layers, AnyOperatorTypeCanBeginALayer) {
  const std::vector<Layer> layers = find_layers(branches(), {}, {.op_types = {"Conv", "Mul"}});
  ASSERT_EQ(layers.size(), 4U);
  EXPECT_EQ(members_of(layers[2]), Names{"product"});
}

TEST(Layers, ExcludedLayersAndLayersWithAGivenFormatAreNotFree) {
  const QuantizeOptions given{.node_formats = {{"sum", testing::kSixteenActivations}}};
  const std::vector<Layer> layers = find_layers(branches(), given, {.exclude_layers = {"left"}});
  EXPECT_FALSE(layers[0].is_free);
  EXPECT_FALSE(layers[1].is_free);
  EXPECT_TRUE(layers[2].is_free);
  EXPECT_FALSE(find_layers(branches(), {}, {.include_layers = {"left"}})[2].is_free);
}

TEST(Layers, UnknownNamesAreErrors) {
  try {
    (void)find_layers(branches(), {}, {.exclude_layers = {"lft"}});
    FAIL();
  } catch (const InvalidInput& error) {
    EXPECT_STREQ(error.what(),
                 "precision: option 'ExcludeLayers': unknown layer 'lft'; nearest known: 'left'");
  }
}

TEST(Layers, MembersGetTheirPartOfAFormat) {
  std::map<std::string, NodeFormat> formats;
  set_format(formats, find_layers(branches(), {}, {})[1], testing::kSixteen);
  EXPECT_EQ(formats.at("right"), testing::kSixteen);
  EXPECT_EQ(formats.at("sum"), testing::kSixteenActivations);
  formats.clear();
  set_format(formats, find_layers(branches(), {}, {})[1], testing::kSixteenWeights);
  EXPECT_EQ(formats.size(), 1U);
}

}  // namespace
}  // namespace quantsearch
