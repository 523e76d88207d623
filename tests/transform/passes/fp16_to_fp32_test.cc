#include <gtest/gtest.h>

#include "quantsearch/runtime.h"
#include "transform/pass_test.h"

namespace quantsearch::testing {
namespace {

Tensor half(const Tensor& tensor) { return convert(tensor, DataType::float16); }

TEST(Fp16ToFp32, WidensWeightsTensorsInputsOutputsAndTypes) {
  ModelBuilder builder;
  builder.input("x", {-1, 2, 4, 4}, DataType::float16);
  const std::string conv =
      builder.node("Conv", {"x", builder.constant("w", half(random_tensor({2, 2, 1, 1}, 3)))});
  const std::string clip =
      builder.node("Clip", {conv, builder.constant("low", Tensor::scalar(to_float16(-0.5F))),
                            builder.constant("high", Tensor::scalar(to_float16(0.5F)))});
  const std::string wide = builder.node("Cast", {clip}, {attribute("to", std::int64_t{1})});
  const std::string narrow = builder.node("Cast", {wide}, {attribute("to", std::int64_t{10})});
  builder.output(narrow, {-1, 2, 4, 4}, DataType::float16);
  const Model before = builder.build();
  const PassResult result = fp16_to_fp32(before);
  for (const auto* values :
       {&result.model.graph.inputs, &result.model.graph.outputs, &result.model.graph.values}) {
    for (const ValueInfo& value : *values) EXPECT_EQ(value.type, DataType::float32) << value.name;
  }
  check_model(result.model);
  const Tensor input = half(random_tensor({1, 2, 4, 4}, 4));
  const Batch narrow_run = open_session(before)->run({{"x", input}});
  const Batch wide_run = open_session(result.model)->run({{"x", to_float32(input)}});
  EXPECT_LE(
      largest_difference({{"y", to_float32(narrow_run.at(narrow))}}, {{"y", wide_run.at(narrow)}}),
      2e-3);
}

TEST(Fp16ToFp32, LeavesNoCastBetweenEqualTypes) {
  ModelBuilder builder;
  builder.input("x", {2}, DataType::float16);
  const std::string wide = builder.node("Cast", {"x"}, {attribute("to", std::int64_t{1})});
  builder.output(builder.node("Neg", {wide}), {2});
  EXPECT_EQ(count(remove_identities(fp16_to_fp32(builder.build()).model).model, "Cast"), 0);
}

}  // namespace
}  // namespace quantsearch::testing
