#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "quantsearch/quantize.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

using testing::random_tensor;

template <typename T>
std::vector<T> integers_of(const QuantizedTensor& tensor) {
  const auto values = tensor.integers.values<T>();
  return {values.begin(), values.end()};
}

/// Quantizes one value at a time in double, as a reference for the vectorized loop.
std::int64_t slow_quantize(float value, float scale, std::int64_t zero_point,
                           const IntegerLimits& limits) {
  const double rounded =
      std::nearbyint(static_cast<double>(value / scale)) + static_cast<double>(zero_point);
  return static_cast<std::int64_t>(
      std::clamp(rounded, static_cast<double>(limits.low), static_cast<double>(limits.high)));
}

double squared_error(const Tensor& weight, const WeightOptions& options) {
  const Tensor back = dequantize(quantize_weight(weight, options));
  double error = 0;
  for (std::int64_t at = 0; at < weight.size(); ++at) {
    const auto place = static_cast<std::size_t>(at);
    const double difference =
        static_cast<double>(weight.values<float>()[place] - back.values<float>()[place]);
    error += difference * difference;
  }
  return error;
}

TEST(QuantizeWeight, SymmetricInt8MatchesHandValues) {
  const Tensor weight = Tensor::of<float>({4}, {-127.0F, 63.5F, 0.0F, 127.0F});
  const QuantizedTensor result = quantize_weight(weight, {});
  EXPECT_EQ(result.params.scales, std::vector<float>{1.0F});
  EXPECT_EQ(result.params.zero_points, std::vector<std::int64_t>{0});
  EXPECT_EQ(integers_of<std::int8_t>(result), (std::vector<std::int8_t>{-127, 64, 0, 127}));
}

TEST(QuantizeWeight, TiesGoToTheEvenInteger) {
  const Tensor weight = Tensor::of<float>({6}, {127.0F, 0.5F, 1.5F, 2.5F, -0.5F, -1.5F});
  EXPECT_EQ(integers_of<std::int8_t>(quantize_weight(weight, {})),
            (std::vector<std::int8_t>{127, 0, 2, 2, 0, -2}));
}

TEST(QuantizeWeight, AsymmetricUint8ReachesBothEnds) {
  const Tensor weight = Tensor::of<float>({3}, {-1.0F, 0.0F, 3.0F});
  const QuantizedTensor result =
      quantize_weight(weight, {.type = DataType::uint8, .symmetric = false});
  EXPECT_EQ(result.params.zero_points[0], 64);  // rne(63.75)
  EXPECT_EQ(integers_of<std::uint8_t>(result), (std::vector<std::uint8_t>{0, 64, 255}));
}

TEST(QuantizeWeight, AsymmetricInt8UsesTheLowestInteger) {
  const Tensor weight = Tensor::of<float>({2}, {0.0F, 2.55F});
  const QuantizedTensor result =
      quantize_weight(weight, {.type = DataType::int8, .symmetric = false});
  EXPECT_EQ(result.params.zero_points[0], -128);
  EXPECT_EQ(integers_of<std::int8_t>(result), (std::vector<std::int8_t>{-128, 127}));
}

TEST(QuantizeWeight, ChannelsHaveScalesOfTheirOwn) {
  const Tensor weight = Tensor::of<float>({2, 2}, {1.27F, -0.5F, 127.0F, 64.0F});
  const QuantizedTensor rows = quantize_weight(weight, {.axis = 0});
  EXPECT_FLOAT_EQ(rows.params.scales[0], 0.01F);
  EXPECT_FLOAT_EQ(rows.params.scales[1], 1.0F);
  EXPECT_EQ(integers_of<std::int8_t>(rows), (std::vector<std::int8_t>{127, -50, 127, 64}));
  const QuantizedTensor columns = quantize_weight(weight, {.axis = 1});
  EXPECT_FLOAT_EQ(columns.params.scales[1], 64.0F / 127.0F);
}

TEST(QuantizeWeight, AChannelOfZerosGetsScaleOne) {
  const Tensor weight = Tensor::of<float>({2, 2}, {0.0F, 0.0F, 1.0F, -1.0F});
  const QuantizedTensor result = quantize_weight(weight, {.axis = 0});
  EXPECT_EQ(result.params.scales[0], 1.0F);
  EXPECT_EQ(integers_of<std::int8_t>(result), (std::vector<std::int8_t>{0, 0, 127, -127}));
}

TEST(QuantizeWeight, OneElementIsExact) {
  const Tensor weight = Tensor::of<float>({1}, {-0.3F});
  const QuantizedTensor result = quantize_weight(weight, {});
  EXPECT_EQ(integers_of<std::int8_t>(result), std::vector<std::int8_t>{-127});
  EXPECT_FLOAT_EQ(dequantize(result).values<float>()[0], -0.3F);
}

TEST(QuantizeWeight, ValuesTooSmallForAScaleBecomeZero) {
  const Tensor weight = Tensor::of<float>({2}, {1e-39F, -1e-39F});
  const QuantizedTensor result = quantize_weight(weight, {});
  EXPECT_EQ(result.params.scales[0], 1.0F);
  EXPECT_EQ(integers_of<std::int8_t>(result), (std::vector<std::int8_t>{0, 0}));
}

TEST(QuantizeWeight, HugeValuesSaturateInsteadOfWrapping) {
  const float huge = std::numeric_limits<float>::max();
  const Tensor weight = Tensor::of<float>({2}, {huge, -huge});
  EXPECT_EQ(integers_of<std::int8_t>(quantize_weight(weight, {})),
            (std::vector<std::int8_t>{127, -127}));
}

TEST(QuantizeWeight, AnEmptyTensorStaysEmpty) {
  EXPECT_EQ(quantize_weight(Tensor(DataType::float32, {0, 3}), {}).integers.size(), 0);
  EXPECT_EQ(
      quantize_weight(Tensor(DataType::float32, {0, 3}), {.range = WeightRange::mse, .axis = 1})
          .params.scales.size(),
      3U);
}

TEST(QuantizeWeight, RejectsNaN) {
  EXPECT_THROW((void)quantize_weight(Tensor::of<float>({2}, {1.0F, std::nanf("")}), {}),
               InvalidInput);
}

TEST(QuantizeWeight, RejectsUnsupportedTypesAndAxes) {
  EXPECT_THROW((void)quantize_weight(Tensor::of<float>({1}, {1.0F}), {.type = DataType::int32}),
               Unsupported);
  EXPECT_THROW((void)quantize_weight(Tensor::of<float>({1}, {1.0F}), {.type = DataType::float16}),
               Unsupported);
  EXPECT_THROW((void)quantize_weight(Tensor::of<float>({1}, {1.0F}), {.axis = 1}), InvalidInput);
}

struct TypeCase {
  DataType type;
  bool symmetric;
  bool reduce_range;
  int axis;
};

std::string name_of(const TypeCase& type) {
  const std::string axis = type.axis < 0 ? "PerTensor" : "Axis" + std::to_string(type.axis);
  return std::string(to_string(type.type)) + (type.symmetric ? "Symmetric" : "Asymmetric") +
         (type.reduce_range ? "Reduced" : "") + axis;
}

void PrintTo(const TypeCase& type, std::ostream* stream) { *stream << name_of(type); }

class EveryType : public ::testing::TestWithParam<TypeCase> {};

TEST_P(EveryType, AgreesWithTheSlowFormula) {
  const auto [type, symmetric, reduce_range, axis] = GetParam();
  const WeightOptions options{
      .type = type, .symmetric = symmetric, .reduce_range = reduce_range, .axis = axis};
  const Tensor weight = random_tensor({7, 5, 3}, 11, -0.4F, 0.9F);
  const QuantizedTensor result = quantize_weight(weight, options);
  const std::vector<std::int64_t> integers = to_int64s(result.integers);
  const IntegerLimits limits = integer_limits(type, symmetric, reduce_range);
  for (std::size_t at = 0; at < integers.size(); ++at) {
    const std::size_t channel = axis == 0   ? at / 15
                                : axis == 1 ? at / 3 % 5
                                : axis == 2 ? at % 3
                                            : 0;
    ASSERT_EQ(integers[at], slow_quantize(weight.values<float>()[at], result.params.scales[channel],
                                          result.params.zero_points[channel], limits))
        << at;
  }
}

TEST_P(EveryType, RoundTripStaysWithinHalfAStep) {
  const auto [type, symmetric, reduce_range, axis] = GetParam();
  const WeightOptions options{
      .type = type, .symmetric = symmetric, .reduce_range = reduce_range, .axis = axis};
  const Tensor weight = random_tensor({6, 4, 2}, 12, -0.7F, 0.2F);
  const QuantizedTensor result = quantize_weight(weight, options);
  const Tensor back = dequantize(result);
  const float widest = *std::max_element(result.params.scales.begin(), result.params.scales.end());
  for (std::size_t at = 0; at < static_cast<std::size_t>(weight.size()); ++at) {
    // The error is half a step, and up to another half where the zero point was rounded and the
    // ends are clipped.
    ASSERT_NEAR(weight.values<float>()[at], back.values<float>()[at],
                widest * (symmetric ? 0.501F : 1.001F));
  }
}

INSTANTIATE_TEST_SUITE_P(Types, EveryType,
                         ::testing::Values(TypeCase{DataType::int8, true, false, -1},
                                           TypeCase{DataType::int8, false, false, 0},
                                           TypeCase{DataType::int8, true, true, 1},
                                           TypeCase{DataType::uint8, false, false, 2},
                                           TypeCase{DataType::uint8, true, false, -1},
                                           TypeCase{DataType::uint8, false, true, 0},
                                           TypeCase{DataType::int16, true, false, 0},
                                           TypeCase{DataType::uint16, false, false, 1}),
                         [](const auto& info) { return name_of(info.param); });

TEST(QuantizeWeight, MseNeverDoesWorseThanMinMax) {
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    Tensor weight = random_tensor({3000}, seed);
    weight.mutable_values<float>()[0] = 9.0F;  // an outlier worth clipping
    for (const bool symmetric : {true, false}) {
      const double plain = squared_error(weight, {.symmetric = symmetric});
      EXPECT_LE(squared_error(weight, {.symmetric = symmetric, .range = WeightRange::mse}), plain);
      EXPECT_LE(squared_error(weight, {.symmetric = symmetric, .range = WeightRange::percentile}),
                plain);
    }
  }
}

TEST(QuantizeWeight, MseClipsAnOutlier) {
  Tensor weight = random_tensor({3000}, 5, -0.1F, 0.1F);
  weight.mutable_values<float>()[7] = 1.0F;
  const float plain = quantize_weight(weight, {}).params.scales[0];
  EXPECT_LT(quantize_weight(weight, {.range = WeightRange::mse}).params.scales[0], plain);
}

TEST(QuantizeWeight, SmallChannelsKeepTheirExtremes) {
  // These are nine weights of a depthwise filter. Every percentile below 100 would clip the
  // largest.
  const Tensor weight =
      Tensor::of<float>({1, 9}, {0.9F, -0.3F, 0.2F, 0.1F, -0.8F, 0.05F, 0.4F, -0.6F, 1.0F});
  const QuantizedTensor result =
      quantize_weight(weight, {.range = WeightRange::percentile, .axis = 0});
  EXPECT_EQ(result.params.scales, quantize_weight(weight, {.axis = 0}).params.scales);
}

TEST(QuantizeWeight, PowerOfTwoScalesArePowersOfTwo) {
  const Tensor weight = random_tensor({4, 50}, 3, -0.3F, 0.8F);
  for (const WeightRange range :
       {WeightRange::min_max, WeightRange::mse, WeightRange::percentile}) {
    for (const auto rounding : {PowerOfTwoRounding::nearest, PowerOfTwoRounding::up}) {
      const QuantizedTensor result = quantize_weight(
          weight,
          {.power_of_two = true, .power_of_two_rounding = rounding, .range = range, .axis = 0});
      for (const float scale : result.params.scales) {
        int exponent = 0;
        EXPECT_EQ(std::frexp(scale, &exponent), 0.5F) << scale;
      }
    }
  }
}

TEST(QuantizeWeight, PowerOfTwoUpNeverClips) {
  const Tensor weight = random_tensor({500}, 4, -0.3F, 0.8F);
  const QuantizedTensor result = quantize_weight(
      weight, {.power_of_two = true, .power_of_two_rounding = PowerOfTwoRounding::up});
  const Tensor back = dequantize(result);
  for (std::size_t at = 0; at < 500; ++at) {
    ASSERT_NEAR(weight.values<float>()[at], back.values<float>()[at],
                result.params.scales[0] * 0.5F);
  }
}

}  // namespace
}  // namespace quantsearch
