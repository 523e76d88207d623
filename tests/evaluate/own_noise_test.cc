#include "quantsearch/evaluate/own_noise.h"

#include <gtest/gtest.h>

#include "quantsearch/base/error.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

std::shared_ptr<const DataSource> data() {
  return in_memory_data({{"x", Tensor::of<float>({2, 64}, std::vector<float>(128, 1.0F))}});
}

/// y = x + scale * noise, with noise uniform in [-1, 1). With x = 1 the difference of two runs has
/// the variance 2 scale^2 / 3, and the signal is 1 + scale^2 / 3.
Model noisy(float scale) {
  testing::ModelBuilder builder;
  builder.input("x", {-1, 64});
  const std::string noise =
      builder.node("RandomUniformLike", {"x"},
                   {{.name = "low", .value = -1.0F}, {.name = "high", .value = 1.0F}}, "noise");
  const std::string scaled =
      builder.node("Mul", {noise, builder.constant("scale", Tensor::scalar(scale))});
  builder.output(builder.node("Add", {"x", scaled}), {-1, 64});
  return builder.build();
}

TEST(OwnNoise, IsAbsentForADeterministicModel) {
  testing::ModelBuilder builder;
  builder.input("x", {-1, 64});
  builder.output(builder.node("Relu", {"x"}), {-1, 64});
  EXPECT_FALSE(own_noise(builder.build(), *data()));
}

TEST(OwnNoise, IsTheDifferenceOfTwoRuns) {
  const std::optional<OwnNoise> noise = own_noise(noisy(1), *data());
  ASSERT_TRUE(noise);
  EXPECT_EQ(noise->nodes, std::vector<std::string>{"RandomUniformLike 'noise'"});
  // 0.5 is expected; 128 draws from any generator stay well within a factor of two.
  EXPECT_GT(noise->rel_l2, 0.25);
  EXPECT_LT(noise->rel_l2, 1);
}

TEST(OwnNoise, IsThatOfTheDevice) {
  EXPECT_THROW((void)own_noise(noisy(1), *data(), {.provider = "tpu"}), InvalidInput);
}

TEST(OwnNoise, IsZeroWhenTheRandomNumbersHaveNoInfluence) {
  const std::optional<OwnNoise> noise = own_noise(noisy(0), *data());
  ASSERT_TRUE(noise);
  EXPECT_EQ(noise->rel_l2, 0);
}

}  // namespace
}  // namespace quantsearch
