#include "quantize/numbers/bias.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "quantize/numbers/weight_ranges.h"

namespace quantsearch {

namespace {

constexpr double kLargest = std::numeric_limits<std::int32_t>::max();

/// A range whose scale is `factor` times as large. A range of zero width becomes one that has at
/// least `scale` as its scale.
Range widened(const Range& range, double factor, double scale) {
  if (range.low != 0 || range.high != 0)
    return {.low = range.low * factor, .high = range.high * factor};
  return {.low = 0, .high = scale * std::numeric_limits<std::uint16_t>::max()};
}

}  // namespace

std::vector<float> bias_scales(float input_scale, const TensorParams& weight) {
  std::vector<float> scales;
  scales.reserve(weight.scales.size());
  for (const float scale : weight.scales) scales.push_back(input_scale * scale);
  return scales;
}

bool can_be_integer(const std::vector<float>& scales) {
  return std::ranges::all_of(scales, [](float scale) {
    return std::isfinite(scale) && scale >= std::numeric_limits<float>::min();
  });
}

QuantizedTensor quantize_bias(const Tensor& bias, const std::vector<float>& scales) {
  QuantizedTensor result{.integers = Tensor(DataType::int32, bias.shape()), .params = {}};
  result.params = {.type = DataType::int32,
                   .scales = scales,
                   .zero_points = std::vector<std::int64_t>(scales.size(), 0),
                   .axis = scales.size() > 1 ? 0 : -1};
  const auto values = bias.values<float>();
  const auto integers = result.integers.mutable_values<std::int32_t>();
  for (std::size_t channel = 0; channel < values.size(); ++channel) {
    const double scale = static_cast<double>(scales[scales.size() > 1 ? channel : 0]);
    const double integer = std::nearbyint(static_cast<double>(values[channel]) / scale);
    integers[channel] = static_cast<std::int32_t>(std::clamp(integer, -kLargest, kLargest));
  }
  return result;
}

QuantizedTensor quantize_bias_with(const Tensor& bias, const TensorParams& params) {
  const auto values = bias.values<float>();
  const IntegerLimits limits = integer_limits(params.type, false);
  std::vector<std::int64_t> integers(values.size());
  for (std::size_t channel = 0; channel < values.size(); ++channel) {
    const std::size_t at = params.scales.size() > 1 ? channel : 0;
    const double level = std::nearbyint(static_cast<double>(values[channel]) /
                                        static_cast<double>(params.scales[at])) +
                         static_cast<double>(params.zero_points[at]);
    integers[channel] = static_cast<std::int64_t>(
        std::clamp(level, static_cast<double>(limits.low), static_cast<double>(limits.high)));
  }
  return {.integers = convert(Tensor::of<std::int64_t>(bias.shape(), integers), params.type),
          .params = params};
}

QuantizedTensor quantize_shifted_bias(const Tensor& bias, std::vector<float> scales) {
  constexpr double kLargestInt16 = std::numeric_limits<std::int16_t>::max();
  const auto values = bias.values<float>();
  for (std::size_t channel = 0; channel < values.size(); ++channel) {
    float& scale = scales[scales.size() > 1 ? channel : 0];
    const double magnitude = std::abs(static_cast<double>(values[channel]));
    while (std::nearbyint(magnitude / static_cast<double>(scale)) > kLargestInt16) scale *= 2;
  }
  const std::vector<std::int64_t> zeros(scales.size(), 0);
  const int axis = scales.size() > 1 ? 0 : -1;
  return quantize_bias_with(
      bias,
      {.type = DataType::int16, .scales = std::move(scales), .zero_points = zeros, .axis = axis});
}

double shortage_for_bias(const TensorParams& weight, const Tensor& bias, float input_scale) {
  const std::vector<float> scales = bias_scales(input_scale, weight);
  const auto values = bias.values<float>();
  double worst = 0;
  for (std::size_t channel = 0; channel < values.size(); ++channel) {
    const double scale = static_cast<double>(scales[scales.size() > 1 ? channel : 0]);
    if (scale == 0) continue;
    worst = std::max(worst, std::abs(static_cast<double>(values[channel])) / (scale * kLargest));
  }
  return worst;
}

double widen_for_bias(std::vector<Range>& ranges, const Tensor& bias, float input_scale,
                      const WeightOptions& options) {
  const auto values = bias.values<float>();
  double widest = 1;
  for (std::size_t channel = 0; channel < values.size(); ++channel) {
    Range& range = ranges[ranges.size() > 1 ? channel : 0];
    const double magnitude = std::abs(static_cast<double>(values[channel]));
    // A second round is needed only when a power of two was rounded down. Each round enlarges the
    // scale.
    for (int round = 0; round < 4; ++round) {
      const float scale = weight_scale(range, options).scale;
      const double product = static_cast<double>(input_scale * scale);
      if (magnitude <= product * kLargest || product == 0) break;
      const double factor = magnitude / (product * kLargest) * (1 + 1e-6);
      range = widened(range, options.power_of_two ? std::max(factor, 2.0) : factor,
                      static_cast<double>(scale) * factor);
      widest = std::max(widest, static_cast<double>(weight_scale(range, options).scale / scale));
    }
  }
  return widest;
}

}  // namespace quantsearch
