#include "finetune/solvers/adaround.h"

namespace quantsearch::reconstruction {

namespace {

DescentPlan plan_of(const AdaRoundOptions& options) {
  return {.trains_bias = false,
          .regularization = options.regularization,
          .beta_start = options.beta_start,
          .beta_end = options.beta_end,
          .warm_start = options.warm_start};
}

}  // namespace

DescentResult adaround(const LayerWeights& layer, const LayerSamples& samples,
                       const AdaRoundOptions& options, ThreadPool& pool,
                       const CancellationToken& token) {
  const auto weights = learned_rounding(layer);
  return descend(layer, samples, *weights, plan_of(options), options.descent, pool, token);
}

DescentResult adaround(const LayerWeights& layer, const Moments& moments,
                       const AdaRoundOptions& options, ThreadPool& pool,
                       const CancellationToken& token) {
  const auto weights = learned_rounding(layer);
  return descend(layer, moments, *weights, plan_of(options), options.descent, pool, token);
}

}  // namespace quantsearch::reconstruction
