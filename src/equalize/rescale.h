#pragma once

// Constants of linear layers multiplied by scales, computed in double and rounded once.

#include <span>

#include "equalize/linear_layer.h"

namespace quantsearch::equalizing {

/// W'[o, i] = W[o, i] * of_outputs[o] / of_inputs[i]. An empty span stands for ones.
[[nodiscard]] Tensor scaled_weight(const LinearLayer& layer, std::span<const double> of_outputs,
                                   std::span<const double> of_inputs);

/// The bias of the node multiplied by `scale`; the beta of a Gemm is already included.
[[nodiscard]] Tensor scaled_bias(const LinearLayer& layer, std::span<const double> scale);

/// `values` along axis `axis` of a tensor of `rank` axes: [channels, 1, ...].
[[nodiscard]] Tensor along_axis(std::span<const double> values, int axis, int rank);

}  // namespace quantsearch::equalizing
