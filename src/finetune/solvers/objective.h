#pragma once

// The reconstruction error for the gradient methods: on minibatches of samples, or as the quadratic
// of second moments (docs/algorithms/gptq.md).

#include <cstdint>
#include <memory>
#include <vector>

#include "finetune/solvers/descent.h"
#include "finetune/solvers/layer_product.h"

namespace quantsearch::reconstruction {

class Objective {
 public:
  virtual ~Objective() = default;
  /// Prepares steps from `first` on, at least one and at most `count`, and returns their number.
  virtual std::int64_t prepare(std::int64_t first, std::int64_t count) = 0;
  /// Computes the gradient of the loss of a prepared step by the block's weights [block.count][K]
  /// and, unless null, by its biases. `scratch` belongs to the block and keeps its size between
  /// steps.
  virtual void gradient(std::int64_t step, const OutputBlock& block, const float* weights,
                        const float* bias, std::vector<float>& scratch, float* by_weights,
                        float* by_bias) const = 0;
  /// The relative error of the codes.
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
