// Tests operators that join values of very different size, such as boxes in pixels and scores in
// [0, 1].

#include "quantize/numbers/unlike_parts.h"

#include <gtest/gtest.h>

#include "quantize/fixture.h"
#include "quantsearch/base/error.h"

namespace quantsearch {
namespace {

using testing::build_with_output;
using testing::is_quantized;
using testing::ModelBuilder;
using testing::reason_of;
using testing::steps_apart;

constexpr float kBoxes = 600;

QuantizedModel run(const Model& model, const Ranges& ranges, const QuantizeOptions& options = {}) {
  ThreadPool pool(1);
  return quantize(model, ranges, options, pool);
}

QuantizeOptions npu() {
  QuantizeOptions options;
  options.activation_type = DataType::int8;
  options.activation_symmetric = true;
  options.power_of_two = true;
  options.npu.enabled = true;
  options.align = {.concat = true, .pool = true, .pad = true};
  return options;
}

/// Two Convs of x, "large" and "small", whose results `unite` joins.
struct TwoBranches {
  ModelBuilder builder;
  std::string large;
  std::string small;

  TwoBranches() {
    builder.random_weight("w_large", {2, 2, 1, 1}, kBoxes, 1);
    builder.random_weight("w_small", {2, 2, 1, 1}, 1, 2);
    const std::string x = builder.input("x", {1, 2, 4, 4});
    large = builder.node("Conv", {x, "w_large"}, {}, "large");
    small = builder.node("Conv", {x, "w_small"}, {}, "small");
  }
  std::string joined() {
    return builder.node("Concat", {large, small}, {{"axis", std::int64_t{1}}}, "joined");
  }
};

Ranges ranges_with(double large, double small) {
  return {{"x", {-1, 1}},
          {"large_out", {-large, large}},
          {"small_out", {-small, small}},
          {"joined_out", {-large, large}}};
}

TEST(UnlikeParts, AConcatThatWouldLoseAPartStaysFloatAndItsInputsKeepTheirScales) {
  TwoBranches branches;
  const Model model = build_with_output(branches.builder, branches.joined());
  const QuantizedModel result = run(model, ranges_with(kBoxes, 1));
  EXPECT_FALSE(is_quantized(result.layers, "joined"));
  // A span of 2 has 0.42 steps of 1200 / 255.
  EXPECT_EQ(
      reason_of(result.layers, "joined"),
      "the step of its output 'joined_out' would leave 'small_out' 0.42 steps of its own range "
      "(at least 16 are needed): their ranges differ too much");
  EXPECT_FLOAT_EQ(result.tensors.at("small_out").scales[0], 2.0F / 255);
  EXPECT_FLOAT_EQ(result.tensors.at("large_out").scales[0], 2 * kBoxes / 255);
  EXPECT_FALSE(result.tensors.contains("joined_out"));
  EXPECT_TRUE(is_quantized(result.layers, "small"));
}

TEST(UnlikeParts, SixteenStepsAreEnough) {
  TwoBranches branches;
  const Model model = build_with_output(branches.builder, branches.joined());
  // A part of 1 in a range of 255 / 16 keeps 16 steps.
  EXPECT_TRUE(is_quantized(run(model, ranges_with(15.9, 1)).layers, "joined"));
  EXPECT_FALSE(is_quantized(run(model, ranges_with(16, 1)).layers, "joined"));
}

TEST(UnlikeParts, AreQuantizedTogetherAtSixteenBits) {
  TwoBranches branches;
  const Model model = build_with_output(branches.builder, branches.joined());
  QuantizeOptions options;
  options.activation_type = DataType::uint16;
  EXPECT_TRUE(is_quantized(run(model, ranges_with(kBoxes, 1), options).layers, "joined"));
}

TEST(UnlikeParts, DataMovementAfterThemStaysFloatToo) {
  TwoBranches branches;
  const std::string moved = branches.builder.node(
      "Transpose", {branches.joined()}, {{"perm", std::vector<std::int64_t>{0, 2, 3, 1}}}, "moved");
  const QuantizedModel result =
      run(build_with_output(branches.builder, moved), ranges_with(kBoxes, 1));
  EXPECT_FALSE(is_quantized(result.layers, "joined"));
  EXPECT_EQ(
      reason_of(result.layers, "moved"),
      "it reads 'joined_out', whose parts differ too much in range to be quantized with one step");
  EXPECT_EQ(result.tensors.size(), 5U);  // x, two weights, two branches
}

TEST(UnlikeParts, AReaderOfThemStaysFloatAndTheNextIsQuantized) {
  TwoBranches branches;
  branches.builder.random_weight("w_head", {2, 4, 1, 1}, 1, 3);
  branches.builder.random_weight("w_last", {2, 2, 1, 1}, 1, 4);
  const std::string head = branches.builder.node("Conv", {branches.joined(), "w_head"}, {}, "head");
  const std::string last = branches.builder.node("Conv", {head, "w_last"}, {}, "last");
  Ranges ranges = ranges_with(kBoxes, 1);
  ranges["head_out"] = {-900, 900};
  ranges["last_out"] = {-900, 900};
  const QuantizedModel result = run(build_with_output(branches.builder, last), ranges);
  EXPECT_FALSE(is_quantized(result.layers, "head"));
  EXPECT_TRUE(is_quantized(result.layers, "last"));
}

TEST(UnlikeParts, AnOutputOfASplitHasARangeOfItsOwn) {
  TwoBranches branches;
  branches.builder.constant("sizes", Tensor::of<std::int64_t>({2}, {2, 2}));
  branches.builder.random_weight("w_after", {2, 2, 1, 1}, 1, 3);
  Node split;
  split.op_type = "Split";
  split.name = "split";
  split.inputs = {branches.joined(), "sizes"};
  split.outputs = {"boxes", "scores"};
  split.attributes = {{"axis", std::int64_t{1}}};
  branches.builder.add(split);
  branches.builder.constant("shape", Tensor::of<std::int64_t>({4}, {1, 2, 2, 8}));
  const std::string reshaped =
      branches.builder.node("Reshape", {"scores", "shape"}, {}, "reshaped");
  const std::string after = branches.builder.node("Conv", {reshaped, "w_after"}, {}, "after");
  branches.builder.output("boxes", {1, 2, 4, 4});
  const Model model = build_with_output(branches.builder, after);
  const std::vector<std::string> observed = tensors_to_observe(model);
  EXPECT_NE(std::ranges::find(observed, "scores"), observed.end());
  Ranges ranges = ranges_with(kBoxes, 1);
  ranges["boxes"] = {-kBoxes, kBoxes};
  ranges["scores"] = {-1, 1};
  ranges["after_out"] = {-1, 1};
  const QuantizedModel result = run(model, ranges);
  EXPECT_FALSE(is_quantized(result.layers, "split"));
  EXPECT_TRUE(is_quantized(result.layers, "after"));
  EXPECT_FLOAT_EQ(result.tensors.at("scores").scales[0], 2.0F / 255);
  EXPECT_FLOAT_EQ(result.tensors.at("reshaped_out").scales[0], 2.0F / 255);
}

TEST(UnlikeParts, PartsOfPartsAreConsidered) {
  TwoBranches branches;
  branches.builder.random_weight("w_huge", {2, 2, 1, 1}, 1, 3);
  const std::string huge = branches.builder.node("Conv", {"x", "w_huge"}, {}, "huge");
  const std::string both = branches.builder.node("Concat", {branches.joined(), huge},
                                                 {{"axis", std::int64_t{1}}}, "both");
  Ranges ranges = ranges_with(10, 1);
  ranges["huge_out"] = {-100, 100};
  ranges["both_out"] = {-100, 100};
  const QuantizedModel result = run(build_with_output(branches.builder, both), ranges);
  // In a range of 100 the part of 10 keeps 25 steps, but the part of 1 inside it keeps 2.5.
  EXPECT_TRUE(is_quantized(result.layers, "joined"));
  EXPECT_FALSE(is_quantized(result.layers, "both"));
  EXPECT_NE(reason_of(result.layers, "both").find("'small_out' 2.5 steps"), std::string::npos);
}

TEST(UnlikeParts, WhereJoinsPartsAndASingleConstantIsNoPart) {
  TwoBranches branches;
  branches.builder.constant("mask", Tensor(DataType::boolean, {1, 2, 4, 4}));
  const std::string chosen =
      branches.builder.node("Where", {"mask", branches.large, branches.small}, {}, "chosen");
  Ranges ranges = ranges_with(kBoxes, 1);
  ranges["chosen_out"] = {-kBoxes, kBoxes};
  EXPECT_FALSE(
      is_quantized(run(build_with_output(branches.builder, chosen), ranges).layers, "chosen"));

  TwoBranches filled;
  filled.builder.constant("mask", Tensor(DataType::boolean, {1, 2, 4, 4}));
  filled.builder.weight("tiny", {1}, {1e-6F});
  const std::string filling =
      filled.builder.node("Where", {"mask", filled.large, "tiny"}, {}, "filling");
  ranges["filling_out"] = {-kBoxes, kBoxes};
  EXPECT_TRUE(
      is_quantized(run(build_with_output(filled.builder, filling), ranges).layers, "filling"));
}

TEST(UnlikeParts, MaxJoinsParts) {
  TwoBranches branches;
  const std::string larger =
      branches.builder.node("Max", {branches.large, branches.small}, {}, "larger");
  Ranges ranges = ranges_with(kBoxes, 1);
  ranges["larger_out"] = {-1, kBoxes};
  QuantizeOptions options;
  options.extra_op_types = {"Max"};
  EXPECT_FALSE(is_quantized(
      run(build_with_output(branches.builder, larger), ranges, options).layers, "larger"));
}

TEST(UnlikeParts, ASmallAddendIsAddedInFloatWhenTheSumIsReadInFloat) {
  TwoBranches branches;
  const std::string sum = branches.builder.node("Add", {branches.large, branches.small}, {}, "sum");
  Ranges ranges = ranges_with(kBoxes, 1);
  ranges["sum_out"] = {-kBoxes, kBoxes};
  const QuantizedModel result = run(build_with_output(branches.builder, sum), ranges);
  EXPECT_EQ(reason_of(result.layers, "sum"),
            "the step of its output 'sum_out', which is read in float, would leave its input "
            "'small_out' 0.42 steps of its own range (at least 16 are needed)");
  EXPECT_FALSE(is_quantized(result.layers, "sum"));
}

TEST(UnlikeParts, ASumThatIsQuantizedForItsReaderStaysInteger) {
  TwoBranches branches;
  branches.builder.random_weight("w_next", {2, 2, 1, 1}, 1, 3);
  const std::string sum = branches.builder.node("Add", {branches.large, branches.small}, {}, "sum");
  const std::string next = branches.builder.node("Conv", {sum, "w_next"}, {}, "next");
  Ranges ranges = ranges_with(kBoxes, 1);
  ranges["sum_out"] = {-kBoxes, kBoxes};
  ranges["next_out"] = {-kBoxes, kBoxes};
  EXPECT_TRUE(is_quantized(run(build_with_output(branches.builder, next), ranges).layers, "sum"));
}

/// Sigmoids times 640 for boxes and 1 for scores.
QuantizedModel scaled(const std::vector<float>& factors, bool is_read_by_conv) {
  ModelBuilder builder;
  builder.random_weight("w", {2, 2, 1, 1}, 1, 1);
  const std::string x = builder.input("x", {1, 2, 4, 4});
  const std::string part =
      builder.node("Sigmoid", {builder.node("Conv", {x, "w"}, {}, "conv")}, {}, "part");
  const std::string product =
      builder.node("Mul", {part, builder.weight("factors", {1, 2, 1, 1}, factors)}, {}, "scaling");
  const float most = factors[0];
  return run(
      build_with_output(
          builder, is_read_by_conv ? builder.node("Conv", {product, "w"}, {}, "reader") : product),
      {{"x", {-1, 1}},
       {"conv_out", {-2, 2}},
       {"part_out", {0, 1}},
       {"scaling_out", {0, most}},
       {"reader_out", {-most, most}}});
}

TEST(UnlikeParts, AScalingThatWouldLoseAChannelOfAnOutputStaysFloat) {
  const QuantizedModel result = scaled({640, 1}, false);
  EXPECT_EQ(reason_of(result.layers, "scaling"),
            "the step of its output 'scaling_out', which is read in float, would leave its "
            "smallest channel 0.4 steps of its own range (at least 16 are needed)");
  EXPECT_FALSE(result.tensors.contains("scaling_out"));
  EXPECT_TRUE(is_quantized(result.layers, "conv"));
}

TEST(UnlikeParts, AScalingOfLikeChannelsOrForAQuantizedReaderIsQuantized) {
  EXPECT_TRUE(is_quantized(scaled({3, 1}, false).layers, "scaling"));
  EXPECT_TRUE(is_quantized(scaled({640, 1}, true).layers, "scaling"));
}

TEST(UnlikeParts, AConcatWithAnOverrideIsQuantized) {
  TwoBranches branches;
  QuantizeOptions options;
  options.overrides["joined_out"].symmetric = true;
  EXPECT_TRUE(is_quantized(
      run(build_with_output(branches.builder, branches.joined()), ranges_with(kBoxes, 1), options)
          .layers,
      "joined"));
}

TEST(UnlikeParts, AlignPoolLeavesASmallAverageItsOwnStep) {
  TwoBranches branches;
  const std::string pool = branches.builder.node("GlobalAveragePool", {branches.large}, {}, "pool");
  Ranges ranges = ranges_with(100, 1);
  ranges["pool_out"] = {0, 1};
  QuantizeOptions options;
  options.align.pool = true;
  const QuantizedModel result = run(build_with_output(branches.builder, pool), ranges, options);
  EXPECT_FLOAT_EQ(result.tensors.at("pool_out").scales[0], 1.0F / 255);
  EXPECT_EQ(
      reason_of(result.layers, "pool"),
      "'pool_out' keeps its own parameters, because those of 'large_out' (AlignPool) would leave "
      "'pool_out' 1.3 steps of its own range (at least 16 are needed)");
}

TEST(UnlikeParts, CalibPassthroughLeavesASmallAverageItsOwnRange) {
  TwoBranches branches;
  const std::string pool = branches.builder.node("GlobalAveragePool", {branches.large}, {}, "pool");
  Ranges ranges = ranges_with(100, 1);
  ranges["pool_out"] = {0, 1};
  QuantizeOptions options;
  options.passthrough_op_types = {"GlobalAveragePool"};
  const QuantizedModel result = run(build_with_output(branches.builder, pool), ranges, options);
  EXPECT_FLOAT_EQ(result.tensors.at("pool_out").scales[0], 1.0F / 255);
  EXPECT_EQ(reason_of(result.layers, "pool"),
            "its output 'pool_out' keeps its own range, because that of its inputs "
            "(CalibPassthroughOpTypes) would leave it fewer than 16 steps");
}

TEST(UnlikeParts, AnNpuLeavesAConcatOfThemFloat) {
  TwoBranches branches;
  const Model model = build_with_output(branches.builder, branches.joined());
  const QuantizedModel result = run(model, ranges_with(kBoxes, 1), npu());
  EXPECT_FALSE(is_quantized(result.layers, "joined"));
  EXPECT_FLOAT_EQ(result.tensors.at("small_out").scales[0], 1.0F / 128);
}

TEST(UnlikeParts, AnNpuModelAddsInFloatBeyondTheRangeOfTheShifters) {
  TwoBranches branches;
  branches.builder.random_weight("w_next", {2, 2, 1, 1}, 1, 3);
  const std::string sum = branches.builder.node("Add", {branches.large, branches.small}, {}, "sum");
  const std::string next = branches.builder.node("Conv", {sum, "w_next"}, {}, "next");
  const Model model = build_with_output(branches.builder, next);
  const auto ranges = [](double large) {
    Ranges all = ranges_with(large, 1);
    all["sum_out"] = {-large, large};
    all["next_out"] = {-large, large};
    return all;
  };
  // The positions are 7 and 7 - 10. They may be 7 apart, which leaves 32 of 255 steps.
  EXPECT_TRUE(is_quantized(run(model, ranges(1000), npu()).layers, "sum"));
  EXPECT_EQ(
      reason_of(run(model, ranges(4000), npu()).layers, "sum"),
      "the position that AdjustShiftRead needs would leave 'small_out' 8 steps of its own range "
      "(at least 16 are needed)");
}

TEST(UnlikeParts, TheOptimizedModelMatchesTheUnoptimizedOne) {
  TwoBranches branches;
  const Model model = build_with_output(branches.builder, branches.joined());
  EXPECT_LE(steps_apart(testing::quantized(model)), 1.01);
}

}  // namespace
}  // namespace quantsearch
