#pragma once

// Quantizes biases: int32 with the scale of the products they are added to, and the int16 forms.

#include <vector>

#include "quantsearch/quantize.h"

namespace quantsearch {

/// The scale of a product of input and weight: s_in * s_w per channel, multiplied in float32 as in
/// ONNX Runtime.
[[nodiscard]] std::vector<float> bias_scales(float input_scale, const TensorParams& weight);

/// True when no bias scale is too small for a float32.
[[nodiscard]] bool can_be_integer(const std::vector<float>& scales);

/// q = rne(b / s) with one scale or one per value. The values must fit into int32; see
/// widen_for_bias().
[[nodiscard]] QuantizedTensor quantize_bias(const Tensor& bias, const std::vector<float>& scales);

/// int16 with scale s * 2^k, where k >= 0 is the least one with which the channel's value fits. It
/// is shifted by k before it is added to an accumulator of scale s.
[[nodiscard]] QuantizedTensor quantize_shifted_bias(const Tensor& bias, std::vector<float> scales);

/// q = clip(rne(b / s) + z) over the whole range of the type in `params`, which does not depend on
/// the weight. `bias` is a vector.
[[nodiscard]] QuantizedTensor quantize_bias_with(const Tensor& bias, const TensorParams& params);

/// The factor by which s_in * s_w is too small for the largest |b| to fit into 31 bits; at most 1
/// when all fit.
[[nodiscard]] double shortage_for_bias(const TensorParams& weight, const Tensor& bias,
                                       float input_scale);

/// Widens the weight ranges just enough for every |b| / (s_in * s_w) to fit into 31 bits. Returns
/// the largest factor by which a range was widened (1: all fit).
[[nodiscard]] double widen_for_bias(std::vector<Range>& ranges, const Tensor& bias,
                                    float input_scale, const WeightOptions& options);

}  // namespace quantsearch
