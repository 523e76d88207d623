#include "quantsearch/evaluate/paired_latency.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "support/model_builder.h"

namespace quantsearch {
namespace {

using testing::ModelBuilder;

TEST(SummarizePairs, TakesTheMedianOfRatiosNotTheRatioOfMedians) {
  const std::vector<std::pair<double, double>> pairs = {{1, 2}, {10, 10}, {4, 2}};
  const PairedLatency latency = summarize_pairs(pairs);
  EXPECT_EQ(latency.float_ms, 4);
  EXPECT_EQ(latency.quantized_ms, 2);
  EXPECT_EQ(latency.ratio, 1);
  EXPECT_EQ(latency.pairs, 3);
}

TEST(SummarizePairs, TheIntervalOfFewPairsIsTheirRange) {
  const std::vector<std::pair<double, double>> pairs = {{1, 2}, {1, 1}, {2, 1}};
  const PairedLatency latency = summarize_pairs(pairs);
  EXPECT_EQ(latency.ratio_low, 0.5);
  EXPECT_EQ(latency.ratio_high, 2);
  EXPECT_FALSE(latency.is_faster());
}

TEST(SummarizePairs, TheIntervalIsOfOrderStatistics) {
  // 25 ratios 0.01 ... 0.25: ranks 12.5 -+ 4.9, rounded outwards to 7 and 24 - 7.
  std::vector<std::pair<double, double>> pairs;
  for (int i = 25; i >= 1; --i) pairs.emplace_back(100.0, i);
  const PairedLatency latency = summarize_pairs(pairs);
  EXPECT_EQ(latency.ratio, 0.13);
  EXPECT_EQ(latency.ratio_low, 0.08);
  EXPECT_EQ(latency.ratio_high, 0.18);
  EXPECT_TRUE(latency.is_faster());
}

/// x -> QuantizeLinear -> DequantizeLinear -> Conv with a stored weight.
Model quantized_conv(float scale, std::int64_t outputs, std::int64_t stride) {
  ModelBuilder builder;
  builder.input("x", {1, 2, 4, 4});
  builder.constant("scale", Tensor::scalar<float>(scale));
  builder.constant("zero", Tensor::scalar<std::uint8_t>(3));
  const std::string integers = builder.node("QuantizeLinear", {"x", "scale", "zero"}, {}, "q");
  const std::string values = builder.node("DequantizeLinear", {integers, "scale", "zero"}, {}, "d");
  const std::vector<std::int8_t> weights(static_cast<std::size_t>(outputs) * 2,
                                         static_cast<std::int8_t>(100 * scale));
  builder.constant("w", Tensor::of<std::int8_t>({outputs, 2, 1, 1}, weights));
  builder.constant("w_scale", Tensor::scalar<float>(2 * scale));
  const std::string weight = builder.node("DequantizeLinear", {"w", "w_scale"}, {}, "wd");
  builder.output(builder.node("Conv", {values, weight},
                              {{"strides", std::vector<std::int64_t>{stride, stride}}}, "conv"),
                 {1, outputs, 4 / stride, 4 / stride});
  return builder.build();
}

TEST(KernelKey, IgnoresScalesAndWeights) {
  EXPECT_EQ(kernel_key(quantized_conv(0.5F, 3, 1)), kernel_key(quantized_conv(0.25F, 3, 1)));
}

TEST(KernelKey, DiffersWithShapesAndAttributes) {
  EXPECT_NE(kernel_key(quantized_conv(0.5F, 3, 1)), kernel_key(quantized_conv(0.5F, 4, 1)));
  EXPECT_NE(kernel_key(quantized_conv(0.5F, 3, 1)), kernel_key(quantized_conv(0.5F, 3, 2)));
}

TEST(Conversions, OfStoredTensorsDoNotCount) {
  EXPECT_EQ(conversions_of(quantized_conv(0.5F, 3, 1)), 2);
}

TEST(MeasurePairs, OfAModelWithItselfMakesTheRequestedPairs) {
  const Model model = quantized_conv(0.5F, 3, 1);
  const auto session = open_session(model);
  const Batch input = {{"x", Tensor::of<float>({1, 2, 4, 4}, std::vector<float>(32, 0.5F))}};
  const PairedLatency latency =
      measure_pairs(*session, *session, input, {.minimum_runs = 3, .seconds = 0});
  EXPECT_EQ(latency.pairs, 3);
  EXPECT_GT(latency.ratio, 0);
  EXPECT_LE(latency.ratio_low, latency.ratio);
  EXPECT_GE(latency.ratio_high, latency.ratio);
}

}  // namespace
}  // namespace quantsearch
