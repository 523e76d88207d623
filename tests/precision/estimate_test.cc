#include "precision/estimate.h"

#include <gtest/gtest.h>

#include "precision/setting.h"

namespace quantsearch {
namespace {

/// y = w x with one exact and one inexact weight, so that every number below is a hand value.
Model one_matmul() {
  testing::ModelBuilder builder;
  builder.weight("w", {2, 1}, {1.0F, 0.25F});
  builder.output(builder.node("MatMul", {builder.input("x", {-1, 2}), "w"}, {}, "product"),
                 {-1, 1});
  return builder.build();
}

/// Estimates for weights that are rounded to nearest unless `target` requires safe pairs.
std::vector<std::vector<double>> estimates(const std::vector<NodeFormat>& formats, int threads = 1,
                                           Target target = Target::cpu_vnni) {
  ThreadPool pool(threads);
  const ByteBudget budget(1 << 20);
  const Model model = one_matmul();
  // With steps of 1/255 over [0, 1], 1 is exact and 0.25 is 63.75 steps.
  const Ranges ranges = {{"x", {.low = 0, .high = 1}}, {"product_out", {.low = 0, .high = 2}}};
  const CalibrationResult calibration = {
      .ranges = {{DataType::uint8, ranges}, {DataType::uint16, ranges}}};
  const auto data =
      in_memory_data({{"x", Tensor::of<float>({1, 2}, std::vector<float>{1.0F, 0.25F})}});
  const std::vector<Layer> layers = find_layers(model, {}, {});
  return estimate_noise(model, calibration, {.target = target}, layers, formats, *data,
                        {.pool = pool, .budget = budget});
}

TEST(Estimate, AddsTheRelativeNoiseOfInputAndWeight) {
  const double input_error = 0.25 / 255;   // 63.75 becomes 64
  const double weight_error = 0.25 / 127;  // 31.75 becomes 32
  const double signal = 1 + 0.0625;
  const double expected = (input_error * input_error + weight_error * weight_error) / signal;
  EXPECT_NEAR(estimates({{}})[0][0], expected, expected * 1e-3);
}

TEST(Estimate, IncludesTheNoiseOfSafePairs) {
  // The products of 127 and 32 with inputs up to 255 exceed 16 bits, so one weight becomes smaller.
  const std::vector<NodeFormat> eight_bits(1);
  EXPECT_GT(estimates(eight_bits, 1, Target::cpu)[0][0], 2 * estimates(eight_bits)[0][0]);
}

TEST(Estimate, EachFormatHasItsOwnNoise) {
  const auto result = estimates({{},
                                 testing::kSixteenActivations,
                                 testing::kSixteenWeights,
                                 {.activation = {}, .weight = {}, .keep_float = true}})[0];
  const double signal = 1 + 0.0625;
  const double weight_only = 0.25 / 127 * 0.25 / 127 / signal;
  EXPECT_NEAR(result[1], weight_only, weight_only * 1e-2);
  EXPECT_NEAR(result[2], 0.25 / 255 * 0.25 / 255 / signal, weight_only * 1e-2);
  EXPECT_EQ(result[3], 0);
}

TEST(Estimate, DoesNotDependOnThreads) { EXPECT_EQ(estimates({{}}, 1), estimates({{}}, 2)); }

}  // namespace
}  // namespace quantsearch
