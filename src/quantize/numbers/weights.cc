// q = clip(rne(x / s) + z) is computed as rne(clip(x / s, low - z, high - z)) + z. The integers are
// the same, because the limits are integers, and nothing overflows, so that the loops vectorize.
// Division and rounding are in float32, as in ONNX Runtime's QuantizeLinear.

#include <fmt/core.h>

#include <algorithm>
#include <type_traits>

#include "quantize/numbers/weight_ranges.h"

namespace quantsearch {

namespace {

/// The parameters of one channel, in the form that the loops need.
struct Step {
  float scale = 1;
  float low = 0;   // limits.low - zero point
  float high = 0;  // limits.high - zero point
  std::int32_t zero_point = 0;
};

Step step_of(const ScaleZeroPoint& params, const IntegerLimits& limits) {
  return {.scale = params.scale,
          .low = static_cast<float>(limits.low - params.zero_point),
          .high = static_cast<float>(limits.high - params.zero_point),
          .zero_point = static_cast<std::int32_t>(params.zero_point)};
}

/// 1.5 * 2^23. Adding and subtracting it rounds |x| < 2^22 half to even without a call per value.
constexpr float kRounder = 12582912.0F;

template <typename T>
T quantize_one(float value, const Step& step) {
  float scaled = value / step.scale;
  scaled = scaled < step.low ? step.low : scaled;
  scaled = scaled > step.high ? step.high : scaled;
  return static_cast<T>(static_cast<std::int32_t>((scaled + kRounder) - kRounder) +
                        step.zero_point);
}

/// The arguments are passed by value, so that stores of one-byte integers cannot change them and
/// the loop vectorizes.
template <typename T>
void quantize_run(std::span<const float> values, Step step, std::span<T> integers) {
  for (std::size_t at = 0; at < values.size(); ++at)
    integers[at] = quantize_one<T>(values[at], step);
}

template <typename T>
void quantize_values(std::span<const float> values, const ChannelLayout& layout,
                     std::span<const Step> steps, std::span<T> integers) {
  const auto inner = static_cast<std::size_t>(layout.inner);
  std::size_t begin = 0;
  for (std::int64_t outer = 0; outer < layout.outer; ++outer) {
    for (const Step& step : steps) {
      quantize_run<T>(values.subspan(begin, inner), step, integers.subspan(begin, inner));
      begin += inner;
    }
  }
}

template <typename T>
void dequantize_values(std::span<const T> integers, const ChannelLayout& layout,
                       const TensorParams& params, std::span<float> values) {
  // Conversions from 64 bits are not vectorized before AVX-512.
  using Difference = std::conditional_t<(sizeof(T) < 4), std::int32_t, std::int64_t>;
  std::size_t at = 0;
  for (std::int64_t outer = 0; outer < layout.outer; ++outer) {
    for (std::size_t channel = 0; channel < params.scales.size(); ++channel) {
      const float scale = params.scales[channel];
      const auto zero_point = static_cast<Difference>(params.zero_points[channel]);
      for (const std::size_t end = at + static_cast<std::size_t>(layout.inner); at < end; ++at)
        values[at] = static_cast<float>(static_cast<Difference>(integers[at]) - zero_point) * scale;
    }
  }
}

/// Calls `work` with a value of the C++ type of `type`.
template <typename Work>
void with_integer_type(DataType type, const Work& work) {
  if (type == DataType::int8) return work(std::int8_t{});
  if (type == DataType::uint8) return work(std::uint8_t{});
  if (type == DataType::int16) return work(std::int16_t{});
  if (type == DataType::uint16) return work(std::uint16_t{});
  if (type == DataType::int32) return work(std::int32_t{});
  throw Unsupported(fmt::format(
      "quantize: weights of type {}, expected int8, uint8, int16 or uint16", to_string(type)));
}

void require_weight(const Tensor& weight, const WeightOptions& options) {
  if (weight.type() != DataType::float32) {
    throw InvalidInput(
        fmt::format("quantize: a weight of type {}, expected float32", to_string(weight.type())));
  }
  if (options.type == DataType::int32) {
    throw Unsupported("quantize: weights of type int32, expected int8, uint8, int16 or uint16");
  }
  const NonFinite bad = count_non_finite(weight);
  if (bad.nan + bad.infinite > 0) {
    throw InvalidInput(fmt::format(
        "quantize: a weight of shape {} holds {} NaN and {} infinite values, expected none",
        to_string(weight.shape()), bad.nan, bad.infinite));
  }
}

}  // namespace

QuantizedTensor quantize_in_ranges(const Tensor& weight, const std::vector<Range>& ranges,
                                   const WeightOptions& options) {
  TensorParams params{.type = options.type, .scales = {}, .zero_points = {}, .axis = options.axis};
  for (const Range& range : ranges) {
    const ScaleZeroPoint found = weight_scale(range, options);
    params.scales.push_back(found.scale);
    params.zero_points.push_back(found.zero_point);
  }
  return quantize_with(weight, params,
                       integer_limits(options.type, options.symmetric, options.reduce_range));
}

QuantizedTensor quantize_with(const Tensor& values, const TensorParams& params,
                              const IntegerLimits& limits) {
  const ChannelLayout layout = channel_layout(values.shape(), params.axis);
  std::vector<Step> steps;
  for (std::size_t channel = 0; channel < params.scales.size(); ++channel) {
    steps.push_back(step_of(
        {.scale = params.scales[channel], .zero_point = params.zero_points[channel]}, limits));
  }
  QuantizedTensor result{.integers = Tensor(params.type, values.shape()), .params = params};
  with_integer_type(params.type, [&]<typename T>(T) {
    quantize_values<T>(values.values<float>(), layout, steps, result.integers.mutable_values<T>());
  });
  return result;
}

QuantizedTensor quantize_to_params(const Tensor& values, const TensorParams& params) {
  return quantize_with(values, params, integer_limits(params.type, false));
}

QuantizedTensor quantize_weight(const Tensor& weight, const WeightOptions& options) {
  require_weight(weight, options);
  return quantize_in_ranges(weight, find_weight_ranges(weight, options), options);
}

Tensor dequantize(const QuantizedTensor& tensor) {
  const ChannelLayout layout = channel_layout(tensor.integers.shape(), tensor.params.axis);
  Tensor values(DataType::float32, tensor.integers.shape());
  with_integer_type(tensor.integers.type(), [&]<typename T>(T) {
    dequantize_values<T>(tensor.integers.values<T>(), layout, tensor.params,
                         values.mutable_values<float>());
  });
  return values;
}

}  // namespace quantsearch
