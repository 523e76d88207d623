#pragma once

// The loss behind a layer: mean over columns of the squared difference, summed over outputs,
// between what the quantized model makes of the layer's output (activation, then the output
// quantizer when it takes part) and the float model's activation.

#include <cstdint>
#include <optional>

#include "finetune/layer_problem.h"

namespace quantsearch::reconstruction {

struct OutputLoss {
  Activation activation = {};
  std::optional<OutputGrid> grid = {};  // absent: the output quantizer takes no part
};

/// out = 2 weight (f(y) - a(t)) f'(y), with f the activation and the quantizer, a the activation
/// alone. The quantizer is passed straight through inside its range and has slope 0 outside. Weight
/// 1 / columns makes the gradient of the loss. `out` may be `outputs`.
void loss_gradient(const OutputLoss& loss, const float* outputs, const float* targets,
                   std::int64_t count, float weight, float* out);

struct ErrorSums {
  double error = 0;   // of (f(y) - a(t))^2
  double energy = 0;  // of a(t)^2
};
[[nodiscard]] ErrorSums error_sums(const OutputLoss& loss, const float* outputs,
                                   const float* targets, std::int64_t count);

}  // namespace quantsearch::reconstruction
