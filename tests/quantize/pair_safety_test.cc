#include "quantize/pair_safety.h"

#include <gtest/gtest.h>

#include <cmath>

#include "quantize/fixture.h"
#include "quantize/saturating_kernel.h"

namespace quantsearch {
namespace {

constexpr IntegerLimits kSymmetric{.low = -127, .high = 127};

SafeRow rounded(std::vector<float> row, std::int32_t first_maximum, std::int32_t second_maximum) {
  const std::vector<WeightPair> pairs = {{.first = 0,
                                          .second = 1,
                                          .first_maximum = first_maximum,
                                          .second_maximum = second_maximum}};
  return round_safely(row, {.scale = 1, .zero_point = 0}, kSymmetric, pairs);
}

// ---- the emulation --------------------------------------------------------------------------------

TEST(SaturatingKernel, AddsPairsIn16Bits) {
  EXPECT_EQ(testing::saturating_sum({{255, 127}, {255, 127}}), 32767);    // 64770
  EXPECT_EQ(testing::saturating_sum({{255, -128}, {255, -128}}), -32768);
  EXPECT_EQ(testing::saturating_sum({{255, 127}, {255, -127}, {255, 127}}), 32385);
  EXPECT_EQ(testing::saturating_sum({{1, 1}, {255, 127}, {255, 127}}), 1 + 32385 + 32385);
  EXPECT_EQ(testing::exact_sum({{255, 127}, {255, 127}}), 64770);
}

// ---- rounding -------------------------------------------------------------------------------------

TEST(PairSafety, LeavesSafePairsAsRoundingGivesThem) {
  const SafeRow made = rounded({60.4F, -100.2F}, 255, 255);
  EXPECT_EQ(made.integers, (std::vector<std::int32_t>{60, -100}));
  EXPECT_EQ(made.moved, 0);
  EXPECT_NEAR(made.squared_error, 0.16 + 0.04, 1e-4);
}

// 64 + 65 leaves 16 bits by one step; taking it from either costs 1, and the first integer tried is
// the larger of the first.
TEST(PairSafety, MovesAPairToTheNearestOneThatFits) {
  const SafeRow made = rounded({64, 65}, 255, 255);
  EXPECT_EQ(made.integers, (std::vector<std::int32_t>{64, 64}));
  EXPECT_NEAR(made.squared_error, 1, 1e-9);
  EXPECT_EQ(rounded({-100, -100}, 255, 255).integers, (std::vector<std::int32_t>{-64, -64}));
}

// 255 a + 85 b <= 32767: the first weight costs three times as much room, so it gives way further.
TEST(PairSafety, TheWeightThatMeetsLargerValuesGivesWay) {
  const SafeRow made = rounded({120, 90}, 255, 85);
  EXPECT_EQ(255 * made.integers[0] + 85 * made.integers[1] <= 32767, true);
  double best = 1e9;
  for (int first = 0; first <= 127; ++first) {
    for (int second = 0; second <= 127; ++second) {
      if (255 * first + 85 * second > 32767) continue;
      best = std::min(best, std::pow(120.0 - first, 2) + std::pow(90.0 - second, 2));
    }
  }
  EXPECT_NEAR(made.squared_error, best, 1e-9);
}

// ---- whole layers ---------------------------------------------------------------------------------

struct Case {
  std::string name;
  QuantizeOptions options;
};

std::vector<Case> cases() {
  return {{"per tensor", {}},
          {"per channel", {.per_channel = true}},
          {"least squares", {.per_channel = true, .weight_range = WeightRange::mse}},
          {"int8 activations", {.activation_type = DataType::int8, .per_channel = true}},
          {"symmetric", {.activation_type = DataType::int8, .activation_symmetric = true}},
          {"weights with zero points", {.weight_symmetric = false, .per_channel = true}},
          {"powers of two", {.power_of_two = true}},
          {"ratios of 16 bits", {.per_channel = true, .int16_scale = true}}};
}

/// Large weights of one sign behind values that fill their range: every pair would saturate.
Model heavy_model() {
  testing::ModelBuilder builder;
  const std::string x = builder.input("x", {1, 3, 6, 6});
  std::string tensor = x;
  Tensor first = testing::random_tensor({6, 3, 3, 3}, 1, 0.5F, 1);
  tensor = builder.node("Conv", {tensor, builder.constant("w1", first)},
                        {{.name = "pads", .value = std::vector<std::int64_t>{1, 1, 1, 1}}}, "first");
  tensor = builder.node("Relu", {tensor});
  tensor = builder.node("Conv",
                        {tensor, builder.constant("w2", testing::random_tensor({4, 3, 2, 2}, 2, -1, 0.2F))},
                        {{.name = "group", .value = std::int64_t{2}}}, "grouped");
  tensor = builder.node("Flatten", {tensor});
  tensor = builder.node("MatMul", {tensor, builder.constant("w3", testing::random_tensor({100, 5}, 3, 0.1F, 1))},
                        {}, "product");
  tensor = builder.node("Gemm", {tensor, builder.constant("w4", testing::random_tensor({3, 5}, 4, -1, 0))},
                        {{.name = "transB", .value = std::int64_t{1}}}, "last");
  return testing::build_with_output(builder, tensor);
}

std::vector<Batch> positive_inputs() {
  return {{{"x", testing::random_tensor({1, 3, 6, 6}, 7, 0, 1)}},
          {{"x", testing::random_tensor({1, 3, 6, 6}, 8, 0, 1)}}};
}

QuantizedModel quantized(QuantizeOptions options, Target target) {
  options.target = target;
  ThreadPool pool(1);
  return quantize(heavy_model(), testing::ranges_over(heavy_model(), positive_inputs()), options, pool);
}

std::int64_t total(const std::map<std::string, std::int64_t>& counts) {
  std::int64_t sum = 0;
  for (const auto& [layer, count] : counts) sum += count;
  return sum;
}

TEST(PairSafety, NoSumSaturatesUnderTheTargetCpu) {
  for (const Case& tried : cases()) {
    const auto counts = testing::saturated_sums(quantized(tried.options, Target::cpu).model, positive_inputs());
    EXPECT_EQ(counts.size(), 4U) << tried.name;
    EXPECT_EQ(total(counts), 0) << tried.name;
  }
}

TEST(PairSafety, SumsSaturateUnderTheTargetThatPromisesVnni) {
  for (const Case& tried : cases()) {
    const QuantizedModel made = quantized(tried.options, Target::cpu_vnni);
    EXPECT_GT(total(testing::saturated_sums(made.model, positive_inputs())), 0) << tried.name;
    EXPECT_TRUE(made.pair_limits.empty()) << tried.name;
  }
}

// Whatever processor this is.
TEST(PairSafety, TheRuntimeGivesWhatTheGraphSays) {
  for (const Case& tried : cases()) {
    EXPECT_LE(testing::steps_apart_on(quantized(tried.options, Target::cpu), positive_inputs()), 1.01)
        << tried.name;
  }
}

TEST(PairSafety, ReducedRangesAndUnsignedWeightsStayAsTheyWere) {
  for (const QuantizeOptions& options :
       {QuantizeOptions{.reduce_range = true}, QuantizeOptions{.weight_type = DataType::uint8},
        QuantizeOptions{.activation_type = DataType::uint16}}) {
    EXPECT_EQ(quantized(options, Target::cpu).model, quantized(options, Target::cpu_vnni).model);
  }
}

// The second channel never gets past a tenth of the range, so its partner may keep its full weight.
TEST(PairSafety, ChannelsThatStaySmallNeedNoWiderScale) {
  testing::ModelBuilder builder;
  const std::string x = builder.input("x", {1, 2});
  const std::string y = builder.node("Gemm", {x, builder.weight("w", {2, 1}, {1, 1})}, {}, "layer");
  const Model model = testing::build_with_output(builder, y);
  ThreadPool pool(1);
  CalibrationResult calibration;
  calibration.ranges[DataType::uint8] = {{"x", {.low = 0, .high = 1}}, {y, {.low = 0, .high = 2}}};
  const auto scale = [&] { return quantize(model, calibration, {}, pool).tensors.at("w").scales[0]; };
  EXPECT_GT(scale(), 1.9F / 127);  // without extremes every value may occur
  calibration.extremes["x"] = {.min = 0, .max = 1, .channel_min = {0, 0}, .channel_max = {0.8F, 0.004F}};
  EXPECT_EQ(scale(), 1.0F / 127);
}

}  // namespace
}  // namespace quantsearch
