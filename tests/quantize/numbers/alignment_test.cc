// Tests AlignConcat, AlignPool and AlignPad with scales of any form.

#include "quantize/numbers/alignment.h"

#include <gtest/gtest.h>

#include "quantize/fixture.h"

namespace quantsearch {
namespace {

using testing::build_with_output;
using testing::ModelBuilder;
using testing::steps_apart;

QuantizedModel run_aligned(const Model& model, const Ranges& ranges, const AlignOptions& align,
                           const std::vector<std::string>& types = {}) {
  ThreadPool pool(1);
  QuantizeOptions options;
  options.align = align;
  options.extra_op_types = types;
  return quantize(model, ranges, options, pool);
}

/// Two Convs, one of them with a Relu, whose results a Concat joins before a GlobalAveragePool.
Model joined_with_relu() {
  ModelBuilder builder;
  builder.random_weight("w1", {2, 2, 1, 1}, 1, 1);
  builder.random_weight("w2", {2, 2, 1, 1}, 1, 2);
  const std::string x = builder.input("x", {1, 2, 4, 4});
  const std::string left =
      builder.node("Relu", {builder.node("Conv", {x, "w1"}, {}, "conv")}, {}, "left");
  const std::string right = builder.node("Conv", {x, "w2"}, {}, "right");
  const std::string both =
      builder.node("Concat", {left, right}, {{"axis", std::int64_t{1}}}, "both");
  return build_with_output(builder, builder.node("GlobalAveragePool", {both}, {}, "pool"));
}

const Ranges kRanges = {{"x", {-1, 1}},
                        {"left_out", {0, 2}},
                        {"right_out", {-1, 1.55}},
                        {"both_out", {-1, 1.55}},
                        {"pool_out", {-0.1, 0.1}}};

TEST(Alignment, InputsOfAConcatTakeTheOutputsParameters) {
  const QuantizedModel result = run_aligned(joined_with_relu(), kRanges, {.concat = true});
  for (const char* tensor : {"left_out", "right_out", "both_out"}) {
    EXPECT_FLOAT_EQ(result.tensors.at(tensor).scales[0], 0.01F) << tensor;
    EXPECT_EQ(result.tensors.at(tensor).zero_points[0], 100) << tensor;
  }
  // The zero point is no longer the lowest integer, so the Relu stays, between equal pairs.
  EXPECT_FLOAT_EQ(result.tensors.at("conv_out").scales[0], 0.01F);
  EXPECT_FLOAT_EQ(result.tensors.at("pool_out").scales[0], 0.2F / 255);
  EXPECT_LE(steps_apart(result), 1.01);
}

TEST(Alignment, AnAveragePoolTakesTheInputsParameters) {
  const QuantizedModel result = run_aligned(joined_with_relu(), kRanges, {.pool = true});
  EXPECT_FLOAT_EQ(result.tensors.at("pool_out").scales[0], 0.01F);
  EXPECT_EQ(result.tensors.at("left_out").zero_points[0], 0);
  EXPECT_LE(steps_apart(result), 1.01);
}

TEST(Alignment, TensorsKeepTheirOwnParametersByDefault) {
  const QuantizedModel result = run_aligned(joined_with_relu(), kRanges, {});
  EXPECT_FLOAT_EQ(result.tensors.at("left_out").scales[0], 2.0F / 255);
}

TEST(Alignment, AConcatOfConcatsIsAlignedInOneRound) {
  ModelBuilder builder;
  std::vector<std::string> parts;
  for (const char* name : {"a", "b", "c"}) parts.push_back(builder.input(name, {1, 1, 2, 2}));
  const std::string inner =
      builder.node("Concat", {parts[0], parts[1]}, {{"axis", std::int64_t{1}}}, "inner");
  const Model model = build_with_output(
      builder, builder.node("Concat", {inner, parts[2]}, {{"axis", std::int64_t{1}}}, "outer"));
  const QuantizedModel result = run_aligned(model,
                                            {{"a", {0, 1}},
                                             {"b", {0, 2}},
                                             {"c", {-1, 4}},
                                             {"inner_out", {0, 2}},
                                             {"outer_out", {-1, 4.1}}},
                                            {.concat = true, .max_loops = 1}, {"Concat"});
  for (const char* tensor : {"a", "b", "c", "inner_out", "outer_out"})
    EXPECT_FLOAT_EQ(result.tensors.at(tensor).scales[0], 0.02F) << tensor;
}

TEST(Alignment, TheRangeOfAClipDoesNotEndSlightlyAboveItsBound) {
  ModelBuilder builder;
  builder.random_weight("w", {2, 2, 1, 1}, 1, 1);
  builder.constant("low", Tensor::scalar(0.0F));
  builder.constant("high", Tensor::scalar(6.0F));
  const std::string x = builder.input("x", {1, 2, 2, 2});
  const std::string conv = builder.node("Conv", {x, "w"}, {}, "conv");
  const std::string clip = builder.node("Clip", {conv, "low", "high"}, {}, "clip");
  const std::string other = builder.input("y", {1, 2, 2, 2});
  const Model model = build_with_output(
      builder, builder.node("Concat", {clip, other}, {{"axis", std::int64_t{1}}}, "both"));
  const QuantizedModel result = run_aligned(
      model, {{"x", {-1, 1}}, {"clip_out", {0, 6}}, {"y", {0, 6.005}}, {"both_out", {0, 6.005}}},
      {.concat = true});
  EXPECT_LE(result.tensors.at("both_out").scales[0] * 255.0F, 6.0F);
  EXPECT_EQ(result.tensors.at("clip_out"), result.tensors.at("both_out"));
  EXPECT_LE(steps_apart(result), 1.01);
}

}  // namespace
}  // namespace quantsearch
