#pragma once

// The loss behind a layer: mean over columns of the squared difference, summed over outputs,
// between what the quantized model makes of the layer's output (activation, then the output
// quantizer when it takes part) and the float model's activation.

#include <cstdint>
#include <optional>
#include <vector>

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

/// Gauss-Newton: pulls = (f(y) - a(t)) f'(y) and squares = f'(y)^2, slopes as above.
void linearize(const OutputLoss& loss, const float* outputs, const float* targets,
               std::int64_t count, float* pulls, float* squares);

/// Sum of (f(y + step d) - a(t))^2, with d the `direction`, summed in float over runs of 2,048.
[[nodiscard]] double moved_error(const OutputLoss& loss, const float* outputs,
                                 const float* direction, float step, const float* targets,
                                 std::int64_t count);

struct ErrorSums {
  double error = 0;   // of (f(y) - a(t))^2
  double energy = 0;  // of a(t)^2
};
[[nodiscard]] ErrorSums error_sums(const OutputLoss& loss, const float* outputs,
                                   const float* targets, std::int64_t count);
/// All errors over all energies, added in order; 0 when both are 0.
[[nodiscard]] double relative_error(const std::vector<ErrorSums>& sums);

}  // namespace quantsearch::reconstruction
