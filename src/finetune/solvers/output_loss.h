#pragma once

// The loss after a layer: the squared difference between the quantized model's activation (after
// the output quantizer if that is included) and the float model's activation, summed over outputs
// and averaged over columns.

#include <cstdint>
#include <optional>
#include <vector>

#include "finetune/solvers/layer_problem.h"

namespace quantsearch::reconstruction {

struct OutputLoss {
  Activation activation = {};
  std::optional<OutputGrid> grid = {};  // absent: the output quantizer is not included
};

/// out = 2 weight (f(y) - a(t)) f'(y), where f is the activation followed by the quantizer and a is
/// the activation alone. The quantizer has slope 1 inside its range (straight-through) and slope 0
/// outside. With weight 1 / columns the result is the gradient of the loss. `out` may be `outputs`.
void loss_gradient(const OutputLoss& loss, const float* outputs, const float* targets,
                   std::int64_t count, float weight, float* out);

/// Outputs of the layer and the terms of a Gauss-Newton step at them: pulls = (f(y) - a(t)) f'(y)
/// and squares = f'(y)^2, with slopes as above.
struct LinearizedOutputs {
  float* outputs = nullptr;
  float* pulls = nullptr;
  float* squares = nullptr;

  [[nodiscard]] LinearizedOutputs from(std::int64_t column) const {
    return {outputs + column, pulls + column, squares + column};
  }
};

/// Writes y + step d, where d is the `direction`, and the terms at it to `to`, and returns the sum
/// of (f(y + step d) - a(t))^2. Runs of 2,048 values are summed in float. `to.outputs` may be
/// `outputs`.
[[nodiscard]] double move_and_linearize(const OutputLoss& loss, const float* outputs,
                                        const float* direction, float step, const float* targets,
                                        std::int64_t count, const LinearizedOutputs& to);

struct ErrorSums {
  double error = 0;   // sum of (f(y) - a(t))^2
  double energy = 0;  // sum of a(t)^2
};
[[nodiscard]] ErrorSums error_sums(const OutputLoss& loss, const float* outputs,
                                   const float* targets, std::int64_t count);
/// The sum of all errors divided by the sum of all energies, added in order; 0 when both are 0.
[[nodiscard]] double relative_error(const std::vector<ErrorSums>& sums);

}  // namespace quantsearch::reconstruction
