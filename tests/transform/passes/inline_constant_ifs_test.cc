#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>

#include "quantsearch/model/fixed_inputs.h"
#include "quantsearch/transform.h"
#include "transform/pass_test.h"

namespace quantsearch::testing {
namespace {

Attribute body_attribute(const std::string& name, const ModelBuilder& builder) {
  return attribute(name, std::make_shared<const Graph>(builder.build_unchecked().graph));
}

/// rate == 16000 selects a branch with an If of its own over the rank of x, which is known, and
/// another rate selects x * w.
Model model_of_rates() {
  ModelBuilder squeezed;
  squeezed.output(squeezed.node("Neg", {"x"}, {}, "inner"), {-1, 2});
  ModelBuilder plain;
  plain.output(plain.node("Abs", {"x"}, {}, "inner"), {-1, 2});
  ModelBuilder then_branch;
  then_branch.constant("two", Tensor::of<std::int64_t>({}, std::vector<std::int64_t>{2}));
  const std::string rank = then_branch.node("Size", {then_branch.node("Shape", {"x"})});
  const std::string chosen = then_branch.node(
      "If", {then_branch.node("Equal", {rank, "two"})},
      {body_attribute("then_branch", squeezed), body_attribute("else_branch", plain)}, "by_rank");
  then_branch.output(then_branch.node("Mul", {chosen, "w"}, {}, "last"), {-1, 2});
  ModelBuilder else_branch;
  else_branch.output(else_branch.node("Mul", {"x", "w"}, {}, "last"), {-1, 2});
  ModelBuilder builder;
  builder.input("x", {-1, 2});
  builder.input("rate", {}, DataType::int64);
  builder.weight("w", {2}, {3, 4});
  builder.constant("wanted", Tensor::scalar(std::int64_t{16000}));
  const std::string condition = builder.node("Equal", {"rate", "wanted"});
  builder.output(builder.node("If", {condition},
                              {body_attribute("then_branch", then_branch),
                               body_attribute("else_branch", else_branch)},
                              "by_rate"),
                 {-1, 2});
  return builder.build();
}

TEST(InlineConstantIfs, LeavesAnIfWhoseConditionIsAnInput) {
  const Model model = simplify(model_of_rates()).model;
  EXPECT_EQ(count(model, "If"), 1);
}

TEST(InlineConstantIfs, TakesTheBranchOfAFixedInputAndTheIfsInsideIt) {
  const Model model = fix_inputs(model_of_rates(), {{"rate", 16000}});
  const Model simplified = simplify(model).model;
  EXPECT_EQ(count(simplified, "If"), 0);
  EXPECT_EQ(count(simplified, "Neg"), 1);
  EXPECT_EQ(count(simplified, "Mul"), 1);
  EXPECT_EQ(simplified.graph.nodes.back().outputs[0], "by_rate_out");
  EXPECT_EQ(simplified.graph.initializers.size(), 1U);
  EXPECT_EQ(largest_difference(model, simplified), 0);
}

TEST(InlineConstantIfs, TakesTheOtherBranchOfAnotherValue) {
  const Model model = fix_inputs(model_of_rates(), {{"rate", 8000}});
  const Simplified simplified = simplify(model);
  EXPECT_EQ(simplified.model.graph.nodes.size(), 1U);
  EXPECT_EQ(simplified.model.graph.nodes[0].name, "last");
  EXPECT_EQ(largest_difference(model, simplified.model), 0);
  const auto pass = std::ranges::find(simplified.passes, "inline_constant_ifs", &PassRecord::name);
  EXPECT_EQ(text(pass->notes), "If 'by_rate' became its else_branch");
}

TEST(InlineConstantIfs, NeedsNoFoldingForAConditionThatIsAConstant) {
  ModelBuilder branch;
  branch.output(branch.node("Neg", {"x"}), {2});
  ModelBuilder builder;
  builder.input("x", {2});
  builder.add(
      node_of("Constant", {}, {"yes"},
              {attribute("value", convert(Tensor::scalar(std::int64_t{1}), DataType::boolean))}));
  builder.output(
      builder.node("If", {"yes"},
                   {body_attribute("then_branch", branch), body_attribute("else_branch", branch)}),
      {2});
  const Model model = simplify(builder.build(), {.fold_constants = false}).model;
  EXPECT_EQ(count(model, "If"), 0);
  EXPECT_EQ(model.graph.nodes[0].op_type, "Neg");
}

TEST(InlineConstantIfs, LeavesIfsWithoutWhichInferenceObjects) {
  // Range takes scalars, but runtimes also accept a row of one number.
  ModelBuilder row;
  row.output(row.node("Identity", {"row_of_one"}, {}, "as_row"), {1}, DataType::int64);
  ModelBuilder scalar;
  scalar.output(scalar.node("Identity", {"one"}, {}, "as_scalar"), {}, DataType::int64);
  ModelBuilder builder;
  builder.input("x", {4}, DataType::int64);
  builder.constant("zero", Tensor::scalar(std::int64_t{0}));
  builder.constant("one", Tensor::scalar(std::int64_t{1}));
  builder.constant("row_of_one", Tensor::of<std::int64_t>({1}, std::vector<std::int64_t>{4}));
  builder.constant("yes", convert(Tensor::scalar(std::int64_t{1}), DataType::boolean));
  const std::string end = builder.node(
      "If", {"yes"}, {body_attribute("then_branch", row), body_attribute("else_branch", scalar)});
  builder.output(builder.node("Add", {"x", builder.node("Range", {"zero", end, "one"})}), {4},
                 DataType::int64);
  const Model before = builder.build();
  const PassResult result = inline_constant_ifs(before, false);
  EXPECT_EQ(count(result.model, "If"), 1);
  ASSERT_EQ(result.notes.size(), 1U);
  EXPECT_TRUE(result.notes[0].starts_with("every If stays: without them the model is not valid"))
      << result.notes[0];
}

}  // namespace
}  // namespace quantsearch::testing
