#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "quantsearch/base/error.h"
#include "quantsearch/evaluate.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

Tensor row(const std::vector<float>& values) {
  return Tensor::of<float>({1, static_cast<std::int64_t>(values.size())}, values);
}

TEST(Compare, GivesHandComputedValues) {
  const Tensor reference = row({3, 4});
  const Tensor candidate = row({4, 2});
  EXPECT_DOUBLE_EQ(compare(Metric::l1, reference, candidate), 1.5);
  EXPECT_DOUBLE_EQ(compare(Metric::l2, reference, candidate), 2.5);
  EXPECT_DOUBLE_EQ(compare(Metric::rel_l2, reference, candidate), 0.2);
  EXPECT_DOUBLE_EQ(compare(Metric::cos, reference, candidate), 20 / (5 * std::sqrt(20.0)));
  EXPECT_DOUBLE_EQ(compare(Metric::psnr, reference, candidate), 10 * std::log10(16 / 2.5));
  EXPECT_DOUBLE_EQ(compare(Metric::sqnr, reference, candidate), 10 * std::log10(5.0));
}

TEST(Compare, KlOfTwoClassesIsTheTextbookValue) {
  // softmax(0, ln 3) = (1/4, 3/4), softmax(0, 0) = (1/2, 1/2).
  const double expected = 0.25 * std::log(0.5) + 0.75 * std::log(1.5);
  EXPECT_NEAR(compare(Metric::kl, row({0, std::log(3.0F)}), row({0, 0})), expected, 1e-7);
}

TEST(Compare, KlSurvivesLogitsWhoseExponentialsOverflow) {
  EXPECT_NEAR(compare(Metric::kl, row({1000, 0}), row({0, 1000})), 1000, 1e-9);
}

TEST(Compare, SsimDetectsAPermutationThatKeepsMeanAndVariance) {
  // Means 2, variances 1, covariance -1, range 2: the luminance term is 1.
  const double c2 = 0.03 * 2 * 0.03 * 2;
  EXPECT_NEAR(compare(Metric::ssim, row({1, 3, 1, 3}), row({3, 1, 3, 1})), (-2 + c2) / (2 + c2),
              1e-12);
}

TEST(Compare, AnEqualCandidateHasTheBestValue) {
  const Tensor image = testing::random_tensor({1, 2, 12, 13}, 5);
  for (const MetricInfo& info : all_metrics()) {
    if (info.needs_labels) continue;
    EXPECT_NEAR(compare(info.metric, image, image), info.best, 1e-12) << info.name;
  }
}

TEST(Compare, ZeroOutputsFollowTheStatedRules) {
  const Tensor zero = row({0, 0});
  const Tensor other = row({1, 0});
  EXPECT_EQ(compare(Metric::cos, zero, zero), 1);
  EXPECT_EQ(compare(Metric::cos, zero, other), -1);
  EXPECT_EQ(compare(Metric::cos, other, zero), -1);
  EXPECT_EQ(compare(Metric::rel_l2, zero, zero), 0);
  EXPECT_EQ(compare(Metric::rel_l2, zero, other), 1e6);
  EXPECT_EQ(compare(Metric::sqnr, zero, zero), 120);
  EXPECT_EQ(compare(Metric::sqnr, zero, other), -60);
  EXPECT_EQ(compare(Metric::psnr, zero, zero), 120);
  EXPECT_EQ(compare(Metric::psnr, zero, other), -60);
  EXPECT_EQ(compare(Metric::ssim, zero, zero), 1);
  EXPECT_EQ(compare(Metric::ssim, zero, other), 0);
}

TEST(Compare, OneElementAndNoElementAreFinite) {
  const Tensor nothing(DataType::float32, {0, 4});
  for (const MetricInfo& info : all_metrics()) {
    if (info.needs_labels) continue;
    EXPECT_TRUE(std::isfinite(compare(info.metric, row({2}), row({3})))) << info.name;
    EXPECT_EQ(compare(info.metric, nothing, nothing), info.best) << info.name;
  }
  EXPECT_EQ(compare(Metric::kl, row({2}), row({3})), 0);
}

TEST(Compare, IntegersAreComparedAsNumbers) {
  EXPECT_DOUBLE_EQ(compare(Metric::l1, Tensor::of<std::int64_t>({2}, {1, 5}),
                           Tensor::of<std::int64_t>({2}, {2, 2})),
                   2);
}

TEST(Compare, RefusesUnequalShapesAndNonFiniteValues) {
  EXPECT_THROW((void)compare(Metric::l2, row({1}), row({1, 2})), InvalidInput);
  EXPECT_THROW((void)compare(Metric::l2, row({1}), row({std::numeric_limits<float>::quiet_NaN()})),
               InvalidInput);
  EXPECT_THROW((void)compare(Metric::l2, row({std::numeric_limits<float>::infinity()}), row({1})),
               InvalidInput);
  EXPECT_THROW((void)compare(Metric::top1, row({1}), row({1})), InvalidInput);
}

TEST(TopK, CountsLabelsAmongTheLargestAndBreaksTiesByIndex) {
  const Tensor logits = Tensor::of<float>({3, 3}, {1, 2, 3, 5, 5, 0, 0, 1, 1});
  EXPECT_DOUBLE_EQ(top_k(logits, std::vector<std::int64_t>{2, 0, 1}, 1), 1.0);
  EXPECT_DOUBLE_EQ(top_k(logits, std::vector<std::int64_t>{2, 1, 2}, 1), 1.0 / 3);
  EXPECT_DOUBLE_EQ(top_k(logits, std::vector<std::int64_t>{0, 1, 2}, 2), 2.0 / 3);
  EXPECT_DOUBLE_EQ(top_k(logits, std::vector<std::int64_t>{0, 2, 0}, 5), 1.0);
}

TEST(TopK, ANaNLogitComesLast) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(top_k(row({nan, -5}), std::vector<std::int64_t>{0}, 1), 0);
  EXPECT_EQ(top_k(row({nan, -5}), std::vector<std::int64_t>{1}, 1), 1);
}

TEST(TopK, RefusesLabelsThatDoNotFit) {
  EXPECT_THROW((void)top_k(row({1, 2}), std::vector<std::int64_t>{2}, 1), InvalidInput);
  EXPECT_THROW((void)top_k(row({1, 2}), std::vector<std::int64_t>{0, 1}, 1), InvalidInput);
  EXPECT_THROW((void)top_k(row({1, 2}), std::vector<std::int64_t>{0}, 0), InvalidInput);
}

}  // namespace
}  // namespace quantsearch
