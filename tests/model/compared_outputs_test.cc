#include "quantsearch/internal/model/compared_outputs.h"

#include <gtest/gtest.h>

#include "support/model_builder.h"

namespace quantsearch {
namespace {

using testing::ModelBuilder;
using Names = std::vector<std::string>;

Names names_of(const std::vector<SkippedOutput>& outputs) {
  Names names;
  for (const SkippedOutput& output : outputs) names.push_back(output.name);
  return names;
}

/// y = relu(x), the input itself and a constant.
ModelBuilder relu_beside_what_is_passed_on() {
  ModelBuilder builder;
  builder.output(builder.input("x", {-1, 4}), {-1, 4});
  builder.output(builder.node("Relu", {"x"}, {}, "y"), {-1, 4});
  builder.output(builder.weight("anchors", {2}, {1, 2}), {2});
  return builder;
}

TEST(ComparedOutputs, LeavesOutInputsAndInitializers) {
  const ComparedOutputs outputs = compared_outputs(relu_beside_what_is_passed_on().build());
  EXPECT_EQ(outputs.names, Names{"y_out"});
  EXPECT_FALSE(outputs.sized_by_data);
  EXPECT_EQ(outputs.skipped,
            (std::vector<SkippedOutput>{{.name = "x", .role = OutputRole::passed_on},
                                        {.name = "anchors", .role = OutputRole::passed_on}}));
}

TEST(ComparedOutputs, LeavesOutWhatFollowsFromInitializersAlone) {
  ModelBuilder builder = relu_beside_what_is_passed_on();
  builder.output(builder.node("Neg", {"anchors"}, {}, "negated"), {2});
  const Model model = builder.build();
  EXPECT_EQ(compared_outputs(model).names, Names{"y_out"});
  EXPECT_EQ(constant_tensors(model.graph), (Names{"anchors", "negated_out"}));
}

/// The positions where relu(x) is not zero, and their values.
void add_positions(ModelBuilder& builder) {
  const std::string found = builder.node("NonZero", {"y_out"}, {}, "found");
  const std::string rows = builder.node("Transpose", {found}, {}, "rows");
  builder.output(builder.node("GatherND", {"y_out", rows}, {}, "values"));
}

TEST(ComparedOutputs, LeavesOutOutputsWhoseSizeDependsOnComputedValues) {
  ModelBuilder builder = relu_beside_what_is_passed_on();
  add_positions(builder);
  const ComparedOutputs outputs = compared_outputs(builder.build());
  EXPECT_EQ(outputs.names, Names{"y_out"});
  EXPECT_EQ(outputs.skipped.back(),
            (SkippedOutput{.name = "values_out", .role = OutputRole::sized_by_data}));
}

TEST(ComparedOutputs, TakesOutputsSizedByDataWhenThereAreNoOthers) {
  ModelBuilder builder;
  builder.input("x", {-1, 4});
  builder.node("Relu", {"x"}, {}, "y");
  add_positions(builder);
  const ComparedOutputs outputs = compared_outputs(builder.build());
  EXPECT_EQ(outputs.names, Names{"values_out"});
  EXPECT_TRUE(outputs.sized_by_data);
}

TEST(ComparedOutputs, AShapeThatFollowsFromShapesIsNotSizedByTheData) {
  ModelBuilder builder;
  const std::string relu = builder.node("Relu", {builder.input("x", {-1, 4})});
  const std::string shape = builder.node("Shape", {relu});
  const std::string four = builder.constant("four", Tensor::of<std::int64_t>({1}, {-1}));
  const std::string start = builder.constant("start", Tensor::of<std::int64_t>({1}, {0}));
  const std::string end = builder.constant("end", Tensor::of<std::int64_t>({1}, {1}));
  const std::string rows = builder.node("Slice", {shape, start, end});
  const std::string target = builder.node("Concat", {rows, four}, {{"axis", std::int64_t{0}}});
  builder.output(builder.node("Reshape", {relu, target}, {}, "r"), {-1, 4});
  EXPECT_EQ(output_roles(builder.build()), std::vector<OutputRole>{OutputRole::computed});
}

TEST(ComparedOutputs, AFixedShapeIsNotSizedByTheData) {
  // The largest position along each of the two axes of however many positions are found.
  ModelBuilder builder;
  const std::string relu = builder.node("Relu", {builder.input("x", {1, 4})});
  const std::string found = builder.node("NonZero", {relu});
  const std::string floats = builder.node("Cast", {found}, {{"to", std::int64_t{1}}});
  builder.output(
      builder.node("ReduceMax", {floats},
                   {{"axes", std::vector<std::int64_t>{1}}, {"keepdims", std::int64_t{0}}}),
      {2});
  EXPECT_EQ(output_roles(builder.build()), std::vector<OutputRole>{OutputRole::computed});
}

TEST(ComparedOutputs, LeavesOutSequencesAndStrings) {
  ModelBuilder builder;
  const std::string relu = builder.node("Relu", {builder.input("x", {1, 4})});
  builder.output(relu, {1, 4});
  builder.output(builder.input("text", {1}, DataType::string), {1}, DataType::string);
  const ComparedOutputs outputs = compared_outputs(builder.build());
  EXPECT_EQ(outputs.names, Names{relu});
  EXPECT_EQ(names_of(outputs.skipped), Names{"text"});
  EXPECT_EQ(why_not_compared(outputs.skipped[0].role), "holds no numbers");
}

}  // namespace
}  // namespace quantsearch
