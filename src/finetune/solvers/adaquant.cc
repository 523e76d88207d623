#include "finetune/solvers/adaquant.h"

namespace quantsearch::reconstruction {

DescentResult adaquant(const LayerWeights& layer, const LayerSamples& samples,
                       const AdaQuantOptions& options, ThreadPool& pool,
                       const CancellationToken& token) {
  const auto weights = straight_through(layer);
  return descend(layer, samples, *weights, {.trains_bias = options.update_bias}, options.descent,
                 pool, token);
}

DescentResult adaquant(const LayerWeights& layer, const Moments& moments,
                       const AdaQuantOptions& options, ThreadPool& pool,
                       const CancellationToken& token) {
  const auto weights = straight_through(layer);
  return descend(layer, moments, *weights, {.trains_bias = options.update_bias}, options.descent,
                 pool, token);
}

}  // namespace quantsearch::reconstruction
