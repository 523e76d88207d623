#pragma once

// Chooses the range in which a weight tensor, or each of its channels, is quantized. The scale
// follows from the range (scale_for() of the calibrate room), so that weights and activations share
// one formula.

#include <vector>

#include "quantsearch/quantize.h"

namespace quantsearch {

/// A tensor seen as [outer, channels, inner] around the quantization axis; one channel when `axis`
/// is -1.
struct ChannelLayout {
  std::int64_t outer = 1;
  std::int64_t channels = 1;
  std::int64_t inner = 1;
};
/// Throws InvalidInput when `axis` is neither -1 nor an axis of `shape`.
[[nodiscard]] ChannelLayout channel_layout(const Shape& shape, int axis);

/// Chooses one range per channel. `weight` is float32 and finite.
[[nodiscard]] std::vector<Range> find_weight_ranges(const Tensor& weight,
                                                    const WeightOptions& options);

/// Quantizes in given ranges, one per channel. This is the second step of quantize_weight(), after
/// find_weight_ranges().
[[nodiscard]] QuantizedTensor quantize_in_ranges(const Tensor& weight,
                                                 const std::vector<Range>& ranges,
                                                 const WeightOptions& options);

/// Quantizes with given scales and zero points to integers within `limits`. Not for int32.
[[nodiscard]] QuantizedTensor quantize_with(const Tensor& values, const TensorParams& params,
                                            const IntegerLimits& limits);
/// Quantizes with given scales and zero points, over the whole range of the type.
[[nodiscard]] QuantizedTensor quantize_to_params(const Tensor& values, const TensorParams& params);

/// The scale and zero point of one channel's range under `options`.
[[nodiscard]] ScaleZeroPoint weight_scale(const Range& range, const WeightOptions& options);

/// Computes the sum of (x - dequantize(quantize(x)))^2 for a given scale from sorted values; see
/// weight_error.cc.
class SortedWeights {
 public:
  explicit SortedWeights(std::vector<float> values);  // in any order
  [[nodiscard]] double squared_error(const ScaleZeroPoint& params,
                                     const IntegerLimits& limits) const;
  /// The quantile of `share` in [0, 1], by linear interpolation between order statistics. Needs at
  /// least one value.
  [[nodiscard]] double quantile(double share) const;
  [[nodiscard]] bool empty() const { return values_.empty(); }

 private:
  [[nodiscard]] double error_by_value(const ScaleZeroPoint& params,
                                      const IntegerLimits& limits) const;
  [[nodiscard]] double error_by_level(const ScaleZeroPoint& params,
                                      const IntegerLimits& limits) const;
  std::vector<float> values_;
  std::vector<double> sums_;         // [values + 1] of x
  std::vector<double> square_sums_;  // [values + 1] of x^2
};

}  // namespace quantsearch
