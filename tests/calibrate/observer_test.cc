#include <gtest/gtest.h>

#include <limits>
#include <numeric>

#include "calibrate/made_statistics.h"
#include "quantsearch/base/error.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

using testing::normal_values;

Tensor image(std::uint64_t seed, Shape shape, double scale) {
  const auto count = static_cast<std::size_t>(element_count(shape));
  return Tensor::of<float>(std::move(shape), normal_values(count, seed, scale));
}

TEST(TensorObserver, GivesHandComputedStatistics) {
  TensorObserver observer;
  observer.add(3, Tensor::of<float>({1, 2, 2}, std::vector<float>{1, -2, 3, 4}));
  observer.add(1, Tensor::of<float>({1, 2, 2}, std::vector<float>{0, 0, -5, 0.5F}));
  const TensorStatistics statistics = observer.statistics();
  EXPECT_EQ(statistics.count, 8U);
  EXPECT_EQ(statistics.min, -5);
  EXPECT_EQ(statistics.max, 4);
  EXPECT_EQ(statistics.sum, 1.5);
  EXPECT_EQ(statistics.sum_of_squares, 55.25);
  EXPECT_EQ(statistics.sample_min, (std::vector<float>{-5, -2}));
  EXPECT_EQ(statistics.sample_max, (std::vector<float>{0.5F, 4}));
  EXPECT_EQ(statistics.channel_min, (std::vector<float>{-2, -5}));
  EXPECT_EQ(statistics.channel_max, (std::vector<float>{1, 4}));
  EXPECT_EQ(statistics.channel_mean, (std::vector<double>{-0.25, 0.625}));
  EXPECT_EQ(statistics.channel_mean_square, (std::vector<double>{1.25, 12.5625}));
  EXPECT_FALSE(statistics.channels_last);
}

TEST(TensorObserver, TakesChannelsFromTheLastAxisWhenAsked) {
  TensorObserver observer(2048, true);
  observer.add(3, Tensor::of<float>({1, 2, 2}, std::vector<float>{1, -2, 3, 4}));
  observer.add(
      1, Tensor::of<float>({1, 1, 2}, std::vector<float>{-5, 0.5F}));  // other rows, same channels
  const TensorStatistics statistics = observer.statistics();
  EXPECT_TRUE(statistics.channels_last);
  EXPECT_EQ(statistics.channel_min, (std::vector<float>{-5, -2}));
  EXPECT_EQ(statistics.channel_max, (std::vector<float>{3, 4}));
  EXPECT_EQ(statistics.channel_mean, (std::vector<double>{-1.0 / 3, 2.5 / 3}));
  EXPECT_EQ(statistics.channel_mean_square, (std::vector<double>{35.0 / 3, 20.25 / 3}));
}

TEST(TensorObserver, ANonFiniteValueDoesNotAffectOtherValues) {
  TensorObserver observer(2048, true);
  observer.add(0, Tensor::of<float>({3, 2}, std::vector<float>{1, 7, NAN, -3, INFINITY, 5}));
  observer.add(1, Tensor::of<float>({1, 2}, std::vector<float>{4, 1}));
  const TensorStatistics statistics = observer.statistics();
  EXPECT_EQ(statistics.channel_min, (std::vector<float>{1, -3}));
  EXPECT_EQ(statistics.channel_max, (std::vector<float>{4, 7}));
  EXPECT_EQ(statistics.channel_mean, (std::vector<double>{2.5, 2.5}));
  EXPECT_EQ(statistics.channel_mean_square, (std::vector<double>{8.5, 21}));
}

TEST(TensorObserver, IsEmptyAtFirst) {
  const TensorStatistics statistics = TensorObserver().statistics();
  EXPECT_EQ(statistics.count, 0U);
  EXPECT_EQ(statistics.min, 0);
  EXPECT_TRUE(statistics.sample_min.empty());
  EXPECT_EQ(statistics.histogram.count(), 0U);
}

TEST(TensorObserver, EmptyTensorsChangeNothing) {
  TensorObserver observer;
  observer.add(0, Tensor(DataType::float32, {1, 0, 4}));
  EXPECT_EQ(observer.statistics(), TensorObserver().statistics());
}

TEST(TensorObserver, IsBitIdenticalInAnyOrderAndGrouping) {
  for (const Shape& shape :
       {Shape{1, 5, 70, 70}, Shape{1, 7, 3}, Shape{1, 300}, Shape{2, 3, 17}, Shape{50}}) {
    TensorObserver in_order, first, second, third;
    for (std::int64_t sample = 0; sample < 6; ++sample) {
      in_order.add(sample, image(static_cast<std::uint64_t>(sample), shape, std::pow(3.0, sample)));
    }
    for (const std::int64_t sample : {5, 0, 3}) {
      first.add(sample, image(static_cast<std::uint64_t>(sample), shape, std::pow(3.0, sample)));
    }
    for (const std::int64_t sample : {4, 1}) {
      second.add(sample, image(static_cast<std::uint64_t>(sample), shape, std::pow(3.0, sample)));
    }
    third.add(2, image(2, shape, 9));
    third.merge(first);
    second.merge(third);
    EXPECT_EQ(second.statistics(), in_order.statistics()) << to_string(shape);
  }
}

TEST(TensorObserver, AgreesWithTheSimpleVersionPerChannel) {
  const Shape shape = {2, 3, 9, 11};
  const Tensor tensor = image(4, shape, 2);
  TensorObserver observer;
  observer.add(0, tensor);
  const TensorStatistics statistics = observer.statistics();
  const auto values = tensor.values<float>();
  double total = 0, squares = 0;
  for (std::size_t channel = 0; channel < 3; ++channel) {
    float low = 1e9F, high = -1e9F;
    double sum = 0;
    for (std::size_t outer = 0; outer < 2; ++outer) {
      for (std::size_t inner = 0; inner < 99; ++inner) {
        const float value = values[(outer * 3 + channel) * 99 + inner];
        low = std::min(low, value);
        high = std::max(high, value);
        sum += static_cast<double>(value);
        squares += static_cast<double>(value) * static_cast<double>(value);
      }
    }
    EXPECT_EQ(statistics.channel_min[channel], low);
    EXPECT_EQ(statistics.channel_max[channel], high);
    EXPECT_NEAR(statistics.channel_mean[channel], sum / 198, 1e-12);
    total += sum;
  }
  EXPECT_NEAR(statistics.sum, total, 1e-10);
  EXPECT_NEAR(statistics.sum_of_squares, squares, 1e-9);
}

TEST(TensorObserver, CountsNonFiniteValuesAndKeepsTheRest) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const std::int64_t inner : {2, 40}) {  // short and long runs of a channel
    std::vector<float> values(static_cast<std::size_t>(2 * inner), 1.0F);
    values[0] = kNan;
    values[1] = -kInfinity;
    values.back() = 3;
    TensorObserver observer;
    observer.add(7, Tensor::of<float>({1, 2, inner}, values));
    const TensorStatistics statistics = observer.statistics();
    EXPECT_EQ(statistics.nan_count, 1U);
    EXPECT_EQ(statistics.infinite_count, 1U);
    EXPECT_EQ(statistics.count, static_cast<std::uint64_t>(2 * inner - 2));
    EXPECT_EQ(statistics.histogram.count(), statistics.count);
    EXPECT_EQ(statistics.min, 1);
    EXPECT_EQ(statistics.max, 3);
    EXPECT_EQ(statistics.channel_max[1], 3);
    EXPECT_EQ(statistics.first_non_finite_sample, 7);
    EXPECT_EQ(observer.first_non_finite_sample(), 7);
  }
}

TEST(TensorObserver, DropsChannelsWhoseNumberVaries) {
  TensorObserver left, right;
  left.add(0, image(1, {1, 3, 20}, 1));
  right.add(1, image(2, {1, 4, 20}, 1));
  left.merge(right);
  EXPECT_TRUE(left.statistics().channel_min.empty());
  right.add(2, image(3, {1, 5, 20}, 1));
  EXPECT_TRUE(right.statistics().channel_mean.empty());
  EXPECT_EQ(right.statistics().count, 180U);
}

TEST(TensorObserver, AcceptsEveryFloatType) {
  const Tensor tensor = Tensor::of<float>({4}, std::vector<float>{1, 2, -3, 0.5F});
  TensorObserver floats, halves, doubles;
  floats.add(0, tensor);
  halves.add(0, convert(tensor, DataType::float16));
  doubles.add(0, convert(tensor, DataType::float64));
  EXPECT_EQ(halves.statistics(), floats.statistics());
  EXPECT_EQ(doubles.statistics(), floats.statistics());
}

TEST(TensorObserver, KeepsTheSquaresOfHugeValues) {
  TensorObserver observer;
  observer.add(0, Tensor::of<float>({2}, std::vector<float>{3e38F, -3e38F}));
  EXPECT_EQ(observer.statistics().infinite_count, 0U);
  EXPECT_NEAR(observer.statistics().sum_of_squares, 1.8e77, 1e71);
  EXPECT_EQ(observer.statistics().sum, 0);
}

TEST(TensorObserver, RefusesBinsThatAreNoPowerOfTwo) {
  try {
    const TensorObserver observer(2000);
    FAIL();
  } catch (const InvalidInput& error) {
    EXPECT_STREQ(error.what(),
                 "observe: 2000 histogram bins, expected a power of two from 16 to 32768");
  }
}

}  // namespace
}  // namespace quantsearch
