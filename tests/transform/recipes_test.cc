// Tests of constants that are computed for layers, and computed again where the layer stays float.

#include <gtest/gtest.h>

#include "quantsearch/runtime.h"
#include "transform/pass_test.h"

namespace quantsearch::testing {
namespace {

/// MatMul with a weight of 16 KiB that one number is expanded to and then scaled.
Model expanded_weight() {
  ModelBuilder builder;
  builder.input("x", {2, 64});
  builder.weight("one", {1}, {0.5F});
  builder.constant("shape", Tensor::of<std::int64_t>({2}, {64, 64}));
  const std::string expanded = builder.node("Expand", {"one", "shape"}, {}, "expand");
  const std::string weight = builder.node(
      "Mul", {expanded, builder.weight("row", {64}, std::vector<float>(64, 2))}, {}, "scale");
  builder.output(builder.node("MatMul", {"x", weight}, {}, "product"), {2, 64});
  return builder.build();
}

TEST(Recipes, SayHowALargeConstantWasComputed) {
  const Simplified simplified = simplify(expanded_weight());
  ASSERT_EQ(simplified.recipes.size(), 1);
  const Recipe& recipe = simplified.recipes[0];
  EXPECT_EQ(recipe.tensor, "scale_out");
  ASSERT_EQ(recipe.nodes.size(), 2);
  EXPECT_EQ(recipe.nodes[0].op_type, "Expand");
  EXPECT_EQ(recipe.nodes[1].outputs, std::vector<std::string>{"scale_out"});
  EXPECT_EQ(recipe.sources.size(), 3);
}

TEST(Recipes, AreFollowedWhereTheConstantIsUnchanged) {
  const Model before = expanded_weight();
  const Simplified simplified = simplify(before);
  Model model = simplified.model;
  EXPECT_EQ(restore_computed_constants(model, simplified.recipes), 2);
  check_model(model);
  EXPECT_EQ(model.graph.find_initializer("scale_out"), nullptr);
  EXPECT_LT(serialized_bytes(model), 3000);
  EXPECT_EQ(largest_difference(before, model), 0);
  // There is nothing left to put back.
  EXPECT_EQ(restore_computed_constants(model, simplified.recipes), 0);
}

TEST(Recipes, AreIgnoredWhereTheConstantHasChangedOrANameIsTaken) {
  const Simplified simplified = simplify(expanded_weight());
  Model changed = simplified.model;
  for (Initializer& initializer : changed.graph.initializers) {
    if (initializer.name == "scale_out")
      initializer.tensor = std::make_shared<const Tensor>(*initializer.tensor);
  }
  EXPECT_EQ(restore_computed_constants(changed, simplified.recipes), 0);
  Model taken = simplified.model;
  taken.graph.initializers.push_back(
      {.name = "expand_out", .tensor = std::make_shared<const Tensor>(Tensor::scalar(1.0F))});
  EXPECT_EQ(restore_computed_constants(taken, simplified.recipes), 0);
}

TEST(Recipes, SmallConstantsHaveNone) {
  ModelBuilder builder;
  builder.input("x", {2, 4});
  builder.weight("one", {1}, {0.5F});
  builder.constant("shape", Tensor::of<std::int64_t>({2}, {4, 4}));
  const std::string weight = builder.node("Expand", {"one", "shape"});
  builder.output(builder.node("MatMul", {"x", weight}), {2, 4});
  EXPECT_TRUE(simplify(builder.build()).recipes.empty());
}

}  // namespace
}  // namespace quantsearch::testing
