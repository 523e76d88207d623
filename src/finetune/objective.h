#pragma once

// The reconstruction error as the gradient methods see it: on minibatches of samples, or as the
// quadratic that second moments hold (ptq_methods 2.1).

#include <cstdint>
#include <memory>
#include <vector>

#include "finetune/descent.h"
#include "finetune/layer_product.h"

namespace quantsearch::reconstruction {

class Objective {
 public:
  virtual ~Objective() = default;
  /// Makes ready for steps [first, first + count) and returns how many of them it did, at least
  /// one.
  virtual std::int64_t prepare(std::int64_t first, std::int64_t count) = 0;
  /// Gradient of the loss of a prepared step. `scratch` belongs to the block and keeps its size
  /// between steps.
  virtual void gradient(std::int64_t step, const OutputBlock& block, const float* weights,
                        const float* bias, std::vector<float>& scratch, float* by_weights,
                        float* by_bias) const = 0;
  /// Relative error of codes.
  [[nodiscard]] virtual double error(const Solution& solution) const = 0;
};

[[nodiscard]] std::unique_ptr<Objective> sampled_objective(const LayerWeights& layer,
                                                           const LayerSamples& samples,
                                                           const DescentOptions& options,
                                                           ThreadPool& pool,
                                                           const CancellationToken& token);
[[nodiscard]] std::unique_ptr<Objective> moments_objective(const LayerWeights& layer,
                                                           const Moments& moments,
                                                           ThreadPool& pool);

}  // namespace quantsearch::reconstruction
