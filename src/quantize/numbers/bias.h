#pragma once

// int32 biases with the scale of the products they are added to.

#include <vector>

#include "quantsearch/quantize.h"

namespace quantsearch {

/// Scale a product of input and weight has: s_in * s_w per channel, in float32 as ONNX Runtime
/// multiplies them.
[[nodiscard]] std::vector<float> bias_scales(float input_scale, const TensorParams& weight);

/// True when no bias scale is too small for a float32.
[[nodiscard]] bool can_be_integer(const std::vector<float>& scales);

/// q = rne(b / s), one scale or one per value. The values must fit: see widen_for_bias.
[[nodiscard]] QuantizedTensor quantize_bias(const Tensor& bias, const std::vector<float>& scales);

/// int16 with scale s * 2^k, with the least k >= 0 of each channel that makes its value fit: adding
/// it to an accumulator of scale s takes a shift by k.
[[nodiscard]] QuantizedTensor quantize_shifted_bias(const Tensor& bias, std::vector<float> scales);

/// q = clip(rne(b / s) + z) over the whole type of `params`, which is not tied to the weight's.
/// `bias` is a vector.
[[nodiscard]] QuantizedTensor quantize_bias_with(const Tensor& bias, const TensorParams& params);

/// How many times s_in * s_w is too small for the worst |b| to fit into 31 bits; at most 1 when all
/// fit.
[[nodiscard]] double shortage_for_bias(const TensorParams& weight, const Tensor& bias,
                                       float input_scale);

/// Widens the weight ranges just enough for every |b| / (s_in * s_w) to fit into 31 bits. Returns
/// by how much the widest changed (1: nothing to do).
[[nodiscard]] double widen_for_bias(std::vector<Range>& ranges, const Tensor& bias,
                                    float input_scale, const WeightOptions& options);

}  // namespace quantsearch
