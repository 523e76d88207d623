#pragma once

// Which range of values a weight tensor, or each of its channels, is quantized in. The scale
// follows from the range (scale_for of the calibrate room), so that weights and activations share
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

/// One range per channel. `weight` is float32 and finite.
[[nodiscard]] std::vector<Range> find_weight_ranges(const Tensor& weight,
                                                    const WeightOptions& options);

/// Quantizes in given ranges, one per channel: what quantize_weight does after find_weight_ranges.
[[nodiscard]] QuantizedTensor quantize_in_ranges(const Tensor& weight,
                                                 const std::vector<Range>& ranges,
                                                 const WeightOptions& options);

/// Quantizes with given scales and zero points to integers within `limits`. Not for int32.
[[nodiscard]] QuantizedTensor quantize_with(const Tensor& values, const TensorParams& params,
                                            const IntegerLimits& limits);
/// Quantizes with given scales and zero points, over the whole range of the type.
[[nodiscard]] QuantizedTensor quantize_to_params(const Tensor& values, const TensorParams& params);

/// Scale and zero point of one channel's range under `options`.
[[nodiscard]] ScaleZeroPoint weight_scale(const Range& range, const WeightOptions& options);

/// Sum of (x - dequantize(quantize(x)))^2 over ascending values, for a given scale: see
/// weight_error.cc.
class SortedWeights {
 public:
  explicit SortedWeights(std::vector<float> values);  // sorts them
  [[nodiscard]] double squared_error(const ScaleZeroPoint& params,
                                     const IntegerLimits& limits) const;
  /// Linear interpolation between order statistics, `share` in [0, 1]. Needs at least one value.
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
