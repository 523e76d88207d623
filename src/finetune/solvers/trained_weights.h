#pragma once

// The parameters that the gradient methods train: one number for each weight, changed by Adam
// (Kingma & Ba 2015, arXiv 1412.6980, default decay rates). The weight in the loss and, at the end,
// the code are computed from it.

#include <cstdint>
#include <memory>
#include <vector>

#include "finetune/solvers/layer_problem.h"

namespace quantsearch::reconstruction {

/// The parameters of one step, which are the same for all weights.
struct StepRates {
  float learning_rate = 0;
  float first_correction = 1;   // 1 / (1 - 0.9^step)
  float second_correction = 1;  // 1 / (1 - 0.999^step)
  float regularization = 0;     // weight of the regularizer; 0 during the warm start
  float beta = 2;               // its exponent, >= 1
};

/// Weights [first, first + count) of the layer, in rows of `columns`.
struct WeightSpan {
  std::int64_t first = 0;
  std::int64_t count = 0;
};

class TrainedWeights {
 public:
  virtual ~TrainedWeights() = default;
  /// Writes the weights used in the loss. Spans consist of whole rows.
  virtual void weights(const WeightSpan& span, float* values) = 0;
  /// Runs one step of Adam with the gradient of the loss by the weights and writes the new weights.
  /// May be called for different spans at the same time.
  virtual void step(const WeightSpan& span, const StepRates& rates, const float* gradient,
                    float* values) = 0;
  /// The codes to write: [outputs][K].
  [[nodiscard]] virtual std::vector<std::int32_t> codes() const = 0;
};

/// AdaRound: w = s clip(floor(w0 / s) + h(v)) with h(v) = clip(1.2 sigmoid(v) - 0.1, 0, 1). A code
/// is rounded up if v >= 0.
[[nodiscard]] std::unique_ptr<TrainedWeights> learned_rounding(const LayerWeights& layer);
/// AdaQuant: w = s clip(round(v / s)), where v starts from the float weights. The gradient passes
/// straight through the rounding inside the grid.
[[nodiscard]] std::unique_ptr<TrainedWeights> straight_through(const LayerWeights& layer);

/// The state of Adam for a few numbers.
struct AdamState {
  std::vector<float> first;   // decayed mean of the gradients
  std::vector<float> second;  // decayed mean of the squared gradients
};
/// Runs one step of Adam on values [first, first + count).
void adam_step(const StepRates& rates, const float* gradient, std::int64_t first,
               std::int64_t count, AdamState& state, std::vector<float>& values);

}  // namespace quantsearch::reconstruction
