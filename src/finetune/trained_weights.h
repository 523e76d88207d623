#pragma once

// What the gradient methods train: a number behind each weight, moved by Adam (Kingma & Ba 2015,
// arXiv 1412.6980, default decay rates), from which the weight in the loss and, at the end, the
// code follow.

#include <cstdint>
#include <memory>
#include <vector>

#include "finetune/layer_problem.h"

namespace quantsearch::reconstruction {

/// What is the same for all weights in one step.
struct StepRates {
  float learning_rate = 0;
  float first_correction = 1;   // 1 / (1 - 0.9^step)
  float second_correction = 1;  // 1 / (1 - 0.999^step)
  float regularization = 0;     // weight of the regularizer; 0 while warm
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
  /// The weights as they enter the loss. Spans are of whole rows.
  virtual void weights(const WeightSpan& span, float* values) = 0;
  /// One step of Adam against the gradient of the loss by the weights, then the weights anew.
  /// Different spans may be stepped at the same time.
  virtual void step(const WeightSpan& span, const StepRates& rates, const float* gradient,
                    float* values) = 0;
  /// What is written: [outputs][K].
  [[nodiscard]] virtual std::vector<std::int32_t> codes() const = 0;
};

/// AdaRound: w = s clip(floor(w0 / s) + h(v)), h(v) = clip(1.2 sigmoid(v) - 0.1, 0, 1); codes round
/// to v >= 0.
[[nodiscard]] std::unique_ptr<TrainedWeights> learned_rounding(const LayerWeights& layer);
/// AdaQuant: w = s clip(round(v / s)), v starting from the float weights, passed straight through
/// inside the grid.
[[nodiscard]] std::unique_ptr<TrainedWeights> straight_through(const LayerWeights& layer);

/// One step of Adam on a few plain numbers.
struct AdamState {
  std::vector<float> first;   // decayed mean of the gradients
  std::vector<float> second;  // and of their squares
};
void adam_step(const StepRates& rates, const float* gradient, std::int64_t first,
               std::int64_t count, AdamState& state, std::vector<float>& values);

}  // namespace quantsearch::reconstruction
