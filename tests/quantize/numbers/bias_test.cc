#include "quantize/numbers/bias.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "quantize/numbers/weight_ranges.h"

namespace quantsearch {
namespace {

TEST(QuantizeBias, MatchesHandValues) {
  const Tensor bias = Tensor::of<float>({3}, {1.0F, -0.25F, 0.375F});
  const QuantizedTensor one = quantize_bias(bias, {0.25F});
  EXPECT_EQ(one.integers, Tensor::of<std::int32_t>({3}, {4, -1, 2}));  // 1.5 is a tie
  EXPECT_EQ(one.params.axis, -1);
  const QuantizedTensor each = quantize_bias(bias, {0.5F, 0.25F, 0.125F});
  EXPECT_EQ(each.integers, Tensor::of<std::int32_t>({3}, {2, -1, 3}));
  EXPECT_EQ(each.params.axis, 0);
  EXPECT_EQ(each.params.zero_points, (std::vector<std::int64_t>{0, 0, 0}));
}

TEST(BiasScales, AreProductsInFloat) {
  const TensorParams weight{
      .type = DataType::int8, .scales = {0.1F, 0.3F}, .zero_points = {0, 0}, .axis = 0};
  EXPECT_EQ(bias_scales(0.7F, weight), (std::vector<float>{0.7F * 0.1F, 0.7F * 0.3F}));
}

TEST(CanBeInteger, IsFalseForScalesBelowTheSmallestNormalFloat) {
  EXPECT_TRUE(can_be_integer({1e-30F}));
  EXPECT_FALSE(can_be_integer({1.0F, 1e-40F}));
  EXPECT_FALSE(can_be_integer({std::numeric_limits<float>::infinity()}));
}

TEST(WidenForBias, ChangesNothingForOrdinaryBiases) {
  std::vector<Range> ranges = {{.low = -1, .high = 1}, {.low = -2, .high = 2}};
  const std::vector<Range> before = ranges;
  EXPECT_EQ(widen_for_bias(ranges, Tensor::of<float>({2}, {3, -4}), 0.01F, {.axis = 0}), 1);
  EXPECT_EQ(ranges, before);
}

TEST(WidenForBias, WidensOnlyTheChannelThatOverflowsAndJustEnough) {
  std::vector<Range> ranges = {{.low = -1e-6, .high = 1e-6}, {.low = -1, .high = 1}};
  const Tensor bias = Tensor::of<float>({2}, {100.0F, 100.0F});
  const float input_scale = 1e-3F;
  const WeightOptions options{.axis = 0};
  EXPECT_GT(widen_for_bias(ranges, bias, input_scale, options), 1);
  EXPECT_EQ(ranges[1], (Range{.low = -1, .high = 1}));
  const double integer =
      100.0 / static_cast<double>(input_scale * weight_scale(ranges[0], options).scale);
  EXPECT_LE(integer, std::numeric_limits<std::int32_t>::max());
  EXPECT_GT(integer, std::numeric_limits<std::int32_t>::max() * 0.999);
}

TEST(WidenForBias, WidensAChannelOfTinyWeights) {
  std::vector<Range> ranges = {{.low = 0, .high = 1e-30}};
  const Tensor bias = Tensor::of<float>({1}, {1.0F});
  (void)widen_for_bias(ranges, bias, 0.1F, {});
  EXPECT_LE(1.0 / static_cast<double>(0.1F * weight_scale(ranges[0], {}).scale),
            static_cast<double>(std::numeric_limits<std::int32_t>::max()));
}

TEST(WidenForBias, KeepsPowersOfTwo) {
  std::vector<Range> ranges = {{.low = -1e-6, .high = 1e-6}};
  const WeightOptions options{.power_of_two = true};
  (void)widen_for_bias(ranges, Tensor::of<float>({1}, {100.0F}), 1e-3F, options);
  const float scale = weight_scale(ranges[0], options).scale;
  int exponent = 0;
  EXPECT_EQ(std::frexp(scale, &exponent), 0.5F);
  EXPECT_LE(100.0 / static_cast<double>(1e-3F * scale),
            static_cast<double>(std::numeric_limits<std::int32_t>::max()));
}

}  // namespace
}  // namespace quantsearch
