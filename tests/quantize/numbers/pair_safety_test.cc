#include "quantize/numbers/pair_safety.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "quantize/fixture.h"
#include "quantize/numbers/safe_rounding.h"
#include "quantize/saturating_kernel.h"
#include "quantsearch/base/random.h"

namespace quantsearch {
namespace {

constexpr IntegerLimits kSymmetric{.low = -127, .high = 127};

constexpr RowGrid kGrid{.params = {.scale = 1, .zero_point = 0}, .limits = kSymmetric};

/// The moments of two input channels that count the same.
InputMoments alike() { return {.mean = {0, 0}, .variance = {1, 1}}; }

std::vector<WeightPair> one_pair(std::int32_t first_maximum, std::int32_t second_maximum) {
  return {
      {.first = 0, .second = 1, .first_maximum = first_maximum, .second_maximum = second_maximum}};
}

SafeRow rounded(std::vector<float> row, std::int32_t first_maximum, std::int32_t second_maximum) {
  return round_safely(row, kGrid, one_pair(first_maximum, second_maximum), alike());
}

double squared_error(const SafeRow& row) { return expected_error(row, alike()); }

/// The integers after take_up_mean(); by default without pairs, so that every step is allowed.
std::vector<std::int32_t> settled(std::vector<float> row, const InputMoments& moments,
                                  std::vector<WeightPair> pairs = {}) {
  SafeRow made = round_safely(row, kGrid, pairs, moments);
  take_up_mean(made, kGrid.limits, pairs, moments);
  return made.integers;
}

TEST(SaturatingKernel, AddsPairsIn16Bits) {
  EXPECT_EQ(testing::saturating_sum({{255, 127}, {255, 127}}), 32767);  // 64770
  EXPECT_EQ(testing::saturating_sum({{255, -128}, {255, -128}}), -32768);
  EXPECT_EQ(testing::saturating_sum({{255, 127}, {255, -127}, {255, 127}}), 32385);
  EXPECT_EQ(testing::saturating_sum({{1, 1}, {255, 127}, {255, 127}}), 1 + 32385 + 32385);
  EXPECT_EQ(testing::exact_sum({{255, 127}, {255, 127}}), 64770);
}

TEST(PairSafety, KeepsSafePairsAsRounded) {
  const SafeRow made = rounded({60.4F, -100.2F}, 255, 255);
  EXPECT_EQ(made.integers, (std::vector<std::int32_t>{60, -100}));
  EXPECT_EQ(made.moved, 0);
  EXPECT_NEAR(squared_error(made), 0.16 + 0.04, 1e-4);
}

TEST(PairSafety, RoundsHalvesToEvenAndClampsWhatIsFarOutside) {
  const std::vector<float> row = {0.5F, 1.5F, -2.5F, -0.25F, 3e38F, -3e38F};
  const SafeRow made = round_safely(
      row, kGrid, {}, {.mean = std::vector<double>(6), .variance = std::vector<double>(6, 1)});
  EXPECT_EQ(made.integers, (std::vector<std::int32_t>{0, 2, -2, 0, 127, -127}));
  EXPECT_EQ(made.errors[2], -0.5);
  EXPECT_EQ(made.errors[3], -0.25);
}

// 64 + 65 exceeds 16 bits by one step. A step of either weight costs 1, and the pair with the
// larger first integer is tried first.
TEST(PairSafety, MovesAPairToTheNearestSafeOne) {
  const SafeRow made = rounded({64, 65}, 255, 255);
  EXPECT_EQ(made.integers, (std::vector<std::int32_t>{64, 64}));
  EXPECT_NEAR(squared_error(made), 1, 1e-9);
  EXPECT_EQ(rounded({-100, -100}, 255, 255).integers, (std::vector<std::int32_t>{-64, -64}));
}

// 255 a + 85 b <= 32767: a step of the first weight changes the sum three times as much, so the
// first weight moves further.
/// The least error of a safe pair in place of the two values, over all pairs of integers that are
/// not farther from zero than the rounded values.
double least_error(const std::vector<float>& row, const WeightPair& pair,
                   const InputMoments& moments) {
  const double wanted_first = std::abs(row[0]);
  const double wanted_second = std::abs(row[1]);
  const int sign = row[0] < 0 ? -1 : 1;
  double least = std::numeric_limits<double>::infinity();
  for (int first = 0; first <= std::nearbyint(wanted_first); ++first) {
    for (int second = 0; second <= std::nearbyint(wanted_second); ++second) {
      if (!pair.is_safe(sign * first, sign * second)) continue;
      least = std::min(least, moments.variance[0] * std::pow(wanted_first - first, 2) +
                                  moments.variance[1] * std::pow(wanted_second - second, 2));
    }
  }
  return least;
}

TEST(PairSafety, TheNearestSafePairHasTheLeastErrorOfAll) {
  RandomStream random(7);
  int unsafe = 0;
  for (int trial = 0; trial < 3000; ++trial) {
    const float sign = trial % 2 == 0 ? 1.0F : -1.0F;
    const std::vector<float> row = {sign * static_cast<float>(127 * random.uniform()),
                                    sign * static_cast<float>(127 * random.uniform())};
    const auto pairs = one_pair(static_cast<std::int32_t>(random.below(256)),
                                static_cast<std::int32_t>(random.below(256)));
    InputMoments moments = alike();
    for (double& variance : moments.variance) variance = std::pow(10, 4 * random.uniform() - 2);
    const SafeRow made = round_safely(row, kGrid, pairs, moments);
    EXPECT_TRUE(pairs[0].is_safe(made.integers[0], made.integers[1]));
    if (made.moved == 0) continue;
    ++unsafe;
    const double least = least_error(row, pairs[0], moments);
    EXPECT_NEAR(expected_error(made, moments), least, 1e-9 * least);
  }
  EXPECT_GT(unsafe, 100);
}

TEST(PairSafety, MovesTheWeightOfLargerInputValues) {
  const SafeRow made = rounded({120, 90}, 255, 85);
  EXPECT_EQ(255 * made.integers[0] + 85 * made.integers[1] <= 32767, true);
  double best = 1e9;
  for (int first = 0; first <= 127; ++first) {
    for (int second = 0; second <= 127; ++second) {
      if (255 * first + 85 * second > 32767) continue;
      best = std::min(best, std::pow(120.0 - first, 2) + std::pow(90.0 - second, 2));
    }
  }
  EXPECT_NEAR(squared_error(made), best, 1e-9);
}

// One of 65 and 64 must move by one step: the one whose input values vary less.
TEST(PairSafety, MovesTheWeightWhoseErrorCostsLess) {
  const std::vector<float> row = {65, 64};
  const auto integers = [&](double first, double second) {
    return round_safely(row, kGrid, one_pair(255, 255),
                        {.mean = {0, 0}, .variance = {first, second}})
        .integers;
  };
  EXPECT_EQ(integers(4, 1), (std::vector<std::int32_t>{65, 63}));
  EXPECT_EQ(integers(1, 4), (std::vector<std::int32_t>{64, 64}));
}

// The errors .4, .3 and -.2 have the sum of squares .16 + .09 + .04 = .29 and the sum .5. With one
// channel of variance 2 and correlation .5 they cost 2 (.5 * .29 + .5 * .25) = .54.
TEST(ExpectedError, IncludesTheCorrelationOfPositions) {
  const SafeRow row{.integers = {0, 0, 0}, .errors = {0.4, 0.3, -0.2}};
  EXPECT_NEAR(
      expected_error(row, {.positions = 3, .correlation = 0.5, .mean = {0}, .variance = {2}}), 0.54,
      1e-12);
  EXPECT_NEAR(expected_error(row, {.mean = {0, 0, 0}, .variance = {2, 2, 1}}), 0.54, 1e-12);
}

// Rounding loses .4 of each weight and .8 of the mean output. A step up of the second weight, whose
// values vary less, costs .2 * .5 and changes .8 to -.2, which gains .64 - .04. After that no step
// lowers the error.
TEST(TakeUpMean, MovesTheWeightThatCostsLeast) {
  EXPECT_EQ(settled({10.4F, 20.4F}, {.mean = {1, 1}, .variance = {1, 0.5}}),
            (std::vector<std::int32_t>{10, 21}));
  EXPECT_EQ(settled({-10.4F, -20.4F}, {.mean = {1, 1}, .variance = {1, 0.5}}),
            (std::vector<std::int32_t>{-10, -21}));
}

TEST(TakeUpMean, KeepsRoundedIntegersWhenTheMeanErrorIsZero) {
  EXPECT_EQ(settled({10.4F, 20.4F}, alike()), (std::vector<std::int32_t>{10, 20}));
  EXPECT_EQ(settled({10.4F, 20.4F}, {.mean = {1, -1}, .variance = {1, 1}}),
            (std::vector<std::int32_t>{10, 20}));
}

// Three positions of one channel lose .45, .4 and .4. A step of the first adds .1 to its squared
// error and changes the square of the sum from 1.5625 to .0625; both terms have the weight .5.
TEST(TakeUpMean, LowersTheSumOfErrorsOfAChannel) {
  EXPECT_EQ(settled({10.45F, 20.4F, 30.4F},
                    {.positions = 3, .correlation = 0.5, .mean = {0}, .variance = {1}}),
            (std::vector<std::int32_t>{11, 20, 30}));
}

// 64 and 64 leave no room in 16 bits, so only the third weight can reduce the mean error.
TEST(TakeUpMean, KeepsPairsSafeAndIntegersInsideTheLimits) {
  const InputMoments moments{.mean = {1, 1, 1}, .variance = {0.1, 0.1, 0.5}};
  EXPECT_EQ(settled({64.4F, 64.4F, 5.1F}, moments, one_pair(255, 255)),
            (std::vector<std::int32_t>{64, 64, 6}));
  EXPECT_EQ(settled({127.4F, 5.1F}, {.mean = {1, 1}, .variance = {0.1, 100}}),
            (std::vector<std::int32_t>{127, 5}));
}

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

/// Large weights of one sign with inputs that use their whole range, so that every pair would
/// saturate.
Model heavy_model() {
  testing::ModelBuilder builder;
  const std::string x = builder.input("x", {1, 3, 6, 6});
  std::string tensor = x;
  Tensor first = testing::random_tensor({6, 3, 3, 3}, 1, 0.5F, 1);
  tensor =
      builder.node("Conv", {tensor, builder.constant("w1", first)},
                   {{.name = "pads", .value = std::vector<std::int64_t>{1, 1, 1, 1}}}, "first");
  tensor = builder.node("Relu", {tensor});
  tensor = builder.node(
      "Conv", {tensor, builder.constant("w2", testing::random_tensor({4, 3, 2, 2}, 2, -1, 0.2F))},
      {{.name = "group", .value = std::int64_t{2}}}, "grouped");
  tensor = builder.node("Flatten", {tensor});
  tensor = builder.node(
      "MatMul", {tensor, builder.constant("w3", testing::random_tensor({100, 5}, 3, 0.1F, 1))}, {},
      "product");
  tensor = builder.node("Gemm",
                        {tensor, builder.constant("w4", testing::random_tensor({3, 5}, 4, -1, 0))},
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
  return quantize(heavy_model(), testing::ranges_over(heavy_model(), positive_inputs()), options,
                  pool);
}

std::int64_t total(const std::map<std::string, std::int64_t>& counts) {
  std::int64_t sum = 0;
  for (const auto& [layer, count] : counts) sum += count;
  return sum;
}

TEST(PairSafety, NoSumSaturatesUnderTheTargetCpu) {
  for (const Case& tried : cases()) {
    const auto counts =
        testing::saturated_sums(quantized(tried.options, Target::cpu).model, positive_inputs());
    EXPECT_EQ(counts.size(), 4U) << tried.name;
    EXPECT_EQ(total(counts), 0) << tried.name;
  }
}

TEST(PairSafety, SumsMaySaturateUnderTheTargetCpuVnni) {
  for (const Case& tried : cases()) {
    const QuantizedModel made = quantized(tried.options, Target::cpu_vnni);
    EXPECT_GT(total(testing::saturated_sums(made.model, positive_inputs())), 0) << tried.name;
    const auto is_paired = [](const QuantizedLayer& layer) {
      return layer.pair_limits.has_value();
    };
    EXPECT_TRUE(std::ranges::none_of(made.linear_layers, is_paired)) << tried.name;
  }
}

// Both columns lose 1.2 steps by rounding. The first has no pair of one sign, so it is rounded as
// for every target. The second needs a wider scale, and its weights then reduce the mean error.
TEST(PairSafety, ChangesNoRowWithoutUnsafePairs) {
  const auto step = [](float integer) { return integer / 127; };
  testing::ModelBuilder builder;
  const std::string x = builder.input("x", {1, 4});
  const std::string w = builder.weight(
      "w", {4, 2},
      {1, 1, step(-10.6F), step(119.6F), step(20.4F), step(110.4F), step(-30.6F), step(100.4F)});
  const Model model = testing::build_with_output(builder, builder.node("MatMul", {x, w}));
  CalibrationResult calibration;
  calibration.ranges[DataType::uint8] =
      testing::ranges_over(model, {{{"x", testing::random_tensor({1, 4}, 7, 0.9F, 1)}}});
  const ChannelMoments even{.mean = 0.5, .mean_square = 1.0 / 3};
  calibration.extremes["x"] = {.count = 4000,
                               .min = 0,
                               .max = 1,
                               .channels_last = true,
                               .channel_moments = {even, even, even, even},
                               .channel_max = {1, 1, 1, 1}};
  ThreadPool pool(1);
  const QuantizedModel made = quantize(model, calibration, {.per_channel = true}, pool);
  const auto integers = made.model.graph.find_initializer("w_quantized")->values<std::int8_t>();
  EXPECT_EQ(integers[0], 127);
  EXPECT_EQ(integers[2], -11);
  EXPECT_EQ(integers[4], 20);
  EXPECT_EQ(integers[6], -31);
  EXPECT_GT(made.tensors.at("w").scales[1], made.tensors.at("w").scales[0]);
}

// The inputs are uniform between 0 and 1, so the first layer's weights reduce the mean error.
TEST(PairSafety, NoSumSaturatesWhenWeightsReduceTheMeanError) {
  CalibrationResult calibration;
  calibration.ranges[DataType::uint8] = testing::ranges_over(heavy_model(), positive_inputs());
  const auto made = [&](int threads) {
    ThreadPool pool(threads);
    return quantize(heavy_model(), calibration, {.per_channel = true}, pool).model;
  };
  const Model plain = made(1);
  calibration.extremes["x"] = {
      .count = 3000,
      .min = 0,
      .max = 1,
      .channel_moments = std::vector<ChannelMoments>(3, {.mean = 0.5, .mean_square = 1.0 / 3}),
      .channel_max = {1, 1, 1}};
  EXPECT_EQ(total(testing::saturated_sums(made(1), positive_inputs())), 0);
  EXPECT_NE(made(1), plain);
  EXPECT_EQ(made(1), made(3));
}

// This holds on every processor.
TEST(PairSafety, TheOptimizedModelMatchesTheUnoptimizedOne) {
  for (const Case& tried : cases()) {
    EXPECT_LE(testing::steps_apart_on(quantized(tried.options, Target::cpu), positive_inputs()),
              1.01)
        << tried.name;
  }
}

TEST(PairSafety, DoesNotApplyToReducedRangesUnsignedWeightsAndWideActivations) {
  for (const QuantizeOptions& options :
       {QuantizeOptions{.reduce_range = true}, QuantizeOptions{.weight_type = DataType::uint8},
        QuantizeOptions{.activation_type = DataType::uint16}}) {
    EXPECT_EQ(quantized(options, Target::cpu).model, quantized(options, Target::cpu_vnni).model);
  }
}

// The values of the second channel stay far below the end of the range, so both weights may keep
// their full size: 127 times (255 + 3) is 32766. Of 16 values a channel the largest says less: m is
// sqrt(ln 1e5 / ln 16) = 2.04, and the channel may reach (m - 1.25) 2 (0.8 + 0.01) / 2 = 0.64, with
// which the sum is 1.62 times too large.
TEST(PairSafety, ChannelsThatStaySmallNeedNoWiderScaleWhenManyValuesShowIt) {
  testing::ModelBuilder builder;
  const std::string x = builder.input("x", {1, 2});
  const std::string y = builder.node("Gemm", {x, builder.weight("w", {2, 1}, {1, 1})}, {}, "layer");
  const Model model = testing::build_with_output(builder, y);
  ThreadPool pool(1);
  CalibrationResult calibration;
  calibration.ranges[DataType::uint8] = {{"x", {.low = 0, .high = 1}}, {y, {.low = 0, .high = 2}}};
  const auto scale = [&] {
    return quantize(model, calibration, {}, pool).tensors.at("w").scales[0];
  };
  EXPECT_GT(scale(), 1.9F / 127);  // without extremes every value may occur
  calibration.extremes["x"] = {
      .count = 20'000, .min = 0, .max = 1, .channel_moments = {}, .channel_max = {0.8F, 0.01F}};
  EXPECT_EQ(scale(), 1.0F / 127);
  calibration.extremes["x"].count = 32;
  EXPECT_GT(scale(), 1.6F / 127);
}

}  // namespace
}  // namespace quantsearch
