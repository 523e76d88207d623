#include "runtime/signature.h"

#include <gtest/gtest.h>

#include "quantsearch/base/error.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

using testing::ModelBuilder;

Model two_inputs() {
  ModelBuilder builder;
  const std::string x = builder.input("x", {-1, 2});
  const std::string y = builder.input("y", {2}, DataType::float32);
  builder.output(builder.node("Add", {x, y}), {-1, 2});
  return builder.build();
}

std::string refusal(const Signature& signature, const Batch& inputs) {
  try {
    (void)signature.fitted(inputs);
  } catch (const InvalidInput& error) {
    return error.what();
  }
  return "accepted";
}

const Tensor kX = Tensor::of<float>({3, 2}, {1, 2, 3, 4, 5, 6});
const Tensor kY = Tensor::of<float>({2}, {1, 2});

TEST(Signature, AcceptsAnyBatch) {
  EXPECT_EQ(refusal(Signature(two_inputs(), {}), {{"x", kX}, {"y", kY}}), "accepted");
}

// The data of a float16 model are given to its float32 form.
TEST(Signature, WidensHalfPrecisionAndNothingElse) {
  const Signature signature(two_inputs(), {});
  const Batch fitted = signature.fitted(
      {{"x", convert(kX, DataType::float16)}, {"y", convert(kY, DataType::bfloat16)}});
  EXPECT_EQ(fitted.at("x"), kX);
  EXPECT_EQ(fitted.at("y"), kY);
  EXPECT_NE(refusal(signature, {{"x", convert(kX, DataType::float64)}, {"y", kY}}), "accepted");
  EXPECT_NE(refusal(signature, {{"x", convert(kX, DataType::int8)}, {"y", kY}}), "accepted");
}

TEST(Signature, ShowsBothSidesOfAMissingInput) {
  EXPECT_EQ(refusal(Signature(two_inputs(), {}), {{"x", kX}}),
            "run: input 'y' is missing; got 'x' float32 [3, 2], the model takes 'x' float32 "
            "[batch, 2], 'y' float32 [2]");
  EXPECT_EQ(refusal(Signature(two_inputs(), {}), {}),
            "run: input 'x' is missing; got nothing, the model takes 'x' float32 [batch, 2], 'y' "
            "float32 [2]");
}

TEST(Signature, ShowsBothSidesOfAnUnknownInput) {
  EXPECT_EQ(refusal(Signature(two_inputs(), {}), {{"x", kX}, {"y", kY}, {"z", kY}}),
            "run: the model has no input 'z'; got 'x' float32 [3, 2], 'y' float32 [2], 'z' float32 "
            "[2], the model "
            "takes 'x' float32 [batch, 2], 'y' float32 [2]");
}

TEST(Signature, ShowsBothSidesOfAWrongShapeRankOrType) {
  const Signature signature(two_inputs(), {});
  EXPECT_EQ(refusal(signature, {{"x", Tensor(DataType::float32, {3, 5})}, {"y", kY}}),
            "run: input 'x' does not fit; got 'x' float32 [3, 5], 'y' float32 [2], the model takes "
            "'x' float32 "
            "[batch, 2], 'y' float32 [2]");
  EXPECT_NE(refusal(signature, {{"x", kX}, {"y", Tensor(DataType::float32, {1, 2})}}), "accepted");
  EXPECT_NE(refusal(signature, {{"x", kX}, {"y", Tensor(DataType::float64, {2})}}), "accepted");
}

TEST(Signature, UsesAnInitializerWhenItsInputIsMissing) {
  ModelBuilder builder;
  const std::string x = builder.input("x", {2});
  builder.input("w", {2});
  builder.output(builder.node("Add", {x, builder.weight("w", {2}, {1, 2})}), {2});
  const Signature signature(builder.build(), {});
  EXPECT_EQ(refusal(signature, {{"x", kY}}), "accepted");
  EXPECT_EQ(refusal(signature, {{"x", kY}, {"w", kY}}), "accepted");
  EXPECT_EQ(refusal(signature, {}),
            "run: input 'x' is missing; got nothing, the model takes 'x' float32 [2], 'w' float32 "
            "[2] (optional)");
}

TEST(Signature, SeparatesTapsOfNodesFromInputsAndInitializers) {
  ModelBuilder builder;
  const std::string relu = builder.node("Relu", {builder.input("x", {2})}, {}, "relu");
  builder.output(builder.node("Add", {relu, builder.weight("w", {2}, {1, 2})}, {}, "sum"), {2});
  const Signature signature(builder.build(), {"relu_out", "w", "x", "sum_out", "relu_out"});
  EXPECT_EQ(signature.inner_taps(), (std::vector<std::string>{"relu_out"}));
  Batch outputs;
  signature.add_outer_values({{"x", kY}}, outputs);
  EXPECT_EQ(outputs, (Batch{{"w", kY}, {"x", kY}}));
}

TEST(Signature, NamesATapThatDoesNotExist) {
  try {
    const Signature signature(two_inputs(), {"nothing"});
    FAIL() << "accepted";
  } catch (const InvalidInput& error) {
    EXPECT_STREQ(error.what(), "open session: the graph holds no tensor 'nothing' to tap");
  }
}

TEST(Signature, RefusesAnInputThatIsNotATensor) {
  Model model = two_inputs();
  model.graph.inputs[0].type = DataType::undefined;
  EXPECT_THROW(Signature(model, {}), Unsupported);
}

}  // namespace
}  // namespace quantsearch
