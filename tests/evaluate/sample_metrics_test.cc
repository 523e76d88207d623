#include "evaluate/sample_metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "support/model_builder.h"

namespace quantsearch {
namespace {

std::vector<Metric> sample_distances() {
  std::vector<Metric> metrics;
  for (const MetricInfo& info : all_metrics()) {
    if (is_sample_distance(info.metric)) metrics.push_back(info.metric);
  }
  return metrics;
}

void expect_fast_equals_slow(const Tensor& reference, const Tensor& candidate) {
  const std::vector<Metric> metrics = sample_distances();
  std::vector<double> values(metrics.size());
  ASSERT_TRUE(
      measure_sample(sample_of(reference, 0, 1), sample_of(candidate, 0, 1), metrics, values));
  for (std::size_t i = 0; i < metrics.size(); ++i) {
    const double expected = compare(metrics[i], reference, candidate);
    EXPECT_NEAR(values[i], expected, 1e-10 * (1 + std::abs(expected)))
        << metric_info(metrics[i]).name << " of " << to_string(reference.shape());
  }
}

TEST(SampleMetrics, EqualTheDefinitionsForEveryLengthAndShape) {
  for (std::int64_t length = 1; length <= 40; ++length) {
    expect_fast_equals_slow(testing::random_tensor({1, length}, 1),
                            testing::random_tensor({1, length}, 2));
  }
  for (const Shape& shape : {Shape{}, Shape{7}, Shape{1, 3, 5}, Shape{1, 2, 11, 11},
                             Shape{1, 3, 14, 19}, Shape{1, 2, 10, 30}}) {
    expect_fast_equals_slow(testing::random_tensor(shape, 3, -8, 8),
                            testing::random_tensor(shape, 4, -8, 8));
  }
}

TEST(SampleMetrics, EqualTheDefinitionsForHugeConstantAndZeroValues) {
  const auto filled = [](float value) {
    return Tensor::of<float>({1, 1, 11, 12}, std::vector<float>(132, value));
  };
  expect_fast_equals_slow(filled(3e38F), filled(-3e38F));
  expect_fast_equals_slow(filled(1e-30F), filled(0));
  expect_fast_equals_slow(filled(0), filled(0));
  expect_fast_equals_slow(filled(0), filled(2));
  expect_fast_equals_slow(filled(5), filled(5));
  // An offset of a million times the signal must not hide the variances.
  expect_fast_equals_slow(testing::random_tensor({1, 1, 16, 16}, 1, 1e4F, 1e4F + 1),
                          testing::random_tensor({1, 1, 16, 16}, 2, 1e4F, 1e4F + 1));
}

TEST(SampleMetrics, NonFiniteElementsAreReportedAtAnyPosition) {
  const std::vector<Metric> metrics = {Metric::l2};
  std::vector<double> values = {-7};
  const Tensor reference = testing::random_tensor({1, 19}, 1);
  for (std::size_t place = 0; place < 19; ++place) {
    Tensor candidate = testing::random_tensor({1, 19}, 2);
    candidate.mutable_values<float>()[place] = place % 2 == 0
                                                   ? std::numeric_limits<float>::quiet_NaN()
                                                   : -std::numeric_limits<float>::infinity();
    EXPECT_FALSE(
        measure_sample(sample_of(reference, 0, 1), sample_of(candidate, 0, 1), metrics, values));
  }
  EXPECT_EQ(values[0], -7);
}

TEST(SampleMetrics, ASampleOfABatchIsItsRow) {
  const Tensor batch = testing::random_tensor({3, 2, 4}, 9);
  const Sample sample = sample_of(batch, 1, 3);
  EXPECT_EQ(sample.shape, (Shape{1, 2, 4}));
  EXPECT_EQ(sample.values.data(), batch.values<float>().data() + 8);
  EXPECT_EQ(sample.values.size(), 8U);
}

}  // namespace
}  // namespace quantsearch
