#include "quantsearch/model/fixed_inputs.h"

#include <gtest/gtest.h>

#include <string>

#include "quantsearch/base/error.h"
#include "support/model_builder.h"

namespace quantsearch::testing {
namespace {

Model model_with(const std::string& name, const std::vector<std::int64_t>& shape, DataType type) {
  ModelBuilder builder;
  builder.input("x", {-1, 2});
  builder.input(name, shape, type);
  builder.output(builder.node("Neg", {"x"}), {-1, 2});
  return builder.build_unchecked();
}

const Tensor& fixed_value(const Model& model, const std::string& name) {
  return *model.graph.find_initializer(name);
}

std::string message_of(const Model& model, const FixedInputs& fixed) {
  try {
    (void)fix_inputs(model, fixed);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(FixInputs, MakesAnInputAConstantOfItsTypeAndShape) {
  const Model model = fix_inputs(model_with("rate", {}, DataType::int64), {{"rate", 16000}});
  EXPECT_EQ(model.graph.inputs.size(), 1U);
  EXPECT_EQ(fixed_value(model, "rate"), Tensor::scalar(std::int64_t{16000}));
}

TEST(FixInputs, TakesListsAndFillsFixedSizesWithASingleValue) {
  const Model list = fix_inputs(model_with("a", {-1, 2}, DataType::float32),
                                {{"a", Value::List{Value::List{1, 2.5}, Value::List{3, 4}}}});
  EXPECT_EQ(fixed_value(list, "a"), Tensor::of<float>({2, 2}, std::vector<float>{1, 2.5F, 3, 4}));
  const Model filled = fix_inputs(model_with("a", {3}, DataType::int32), {{"a", 7}});
  EXPECT_EQ(fixed_value(filled, "a"),
            Tensor::of<std::int32_t>({3}, std::vector<std::int32_t>{7, 7, 7}));
  const Model flag = fix_inputs(model_with("a", {1}, DataType::boolean), {{"a", true}});
  EXPECT_TRUE(fixed_value(flag, "a").values<bool>()[0]);
  const Model text = fix_inputs(model_with("a", {}, DataType::string), {{"a", "en"}});
  EXPECT_EQ(fixed_value(text, "a").strings(), std::vector<std::string>{"en"});
}

TEST(FixInputs, ReplacesTheDefaultOfAnInput) {
  Model model = model_with("a", {}, DataType::float32);
  model.graph.initializers.push_back(
      {.name = "a", .tensor = std::make_shared<const Tensor>(Tensor::scalar(1.0F))});
  const Model fixed = fix_inputs(model, {{"a", 0.5}});
  EXPECT_EQ(fixed.graph.initializers.size(), 1U);
  EXPECT_EQ(fixed_value(fixed, "a").values<float>()[0], 0.5F);
}

TEST(FixInputs, NamesTheNearestInput) {
  EXPECT_EQ(message_of(model_with("rate", {}, DataType::int64), {{"rte", 8000}}),
            "fixed_inputs: unknown input 'rte'; nearest known: 'rate'");
}

TEST(FixInputs, RefusesWhatDoesNotFitTheTypeOrTheShape) {
  const Model rate = model_with("rate", {}, DataType::int64);
  EXPECT_EQ(message_of(rate, {{"rate", 0.5}}),
            "fixed_inputs: input 'rate' takes int64 [], got 0.5, expected whole numbers");
  EXPECT_EQ(message_of(rate, {{"rate", Value::List{1, 2}}}),
            "fixed_inputs: input 'rate' takes int64 [], got [1,2], expected lists of its "
            "dimensions, not [2]");
  EXPECT_EQ(
      message_of(model_with("a", {}, DataType::int8), {{"a", 200}}),
      "fixed_inputs: input 'a' takes int8 [], got 200, expected whole numbers in the range of "
      "int8");
  EXPECT_EQ(message_of(model_with("a", {}, DataType::boolean), {{"a", 1}}),
            "fixed_inputs: input 'a' takes boolean [], got 1, expected true or false");
  EXPECT_EQ(
      message_of(model_with("a", {-1, 2}, DataType::float32), {{"a", 1}}),
      "fixed_inputs: input 'a' takes float32 [batch, 2], got 1, expected lists nested 2 deep");
  const Value ragged = Value::List{Value::List{1, 2}, Value::List{3}};
  EXPECT_EQ(message_of(model_with("a", {-1, 2}, DataType::float32), {{"a", ragged}}),
            "fixed_inputs: input 'a' takes float32 [batch, 2], got [[1,2],[3]], expected lists of "
            "equal length");
}

}  // namespace
}  // namespace quantsearch::testing
