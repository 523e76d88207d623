#pragma once

// AdaQuant (Hubara et al. 2020, arXiv 2006.10518) trains the weights, and optionally the bias, on
// the layer's reconstruction error with straight-through gradients of the rounding. See
// docs/algorithms/adaquant.md.

#include "finetune/solvers/descent.h"

namespace quantsearch::reconstruction {

struct AdaQuantOptions {
  DescentOptions descent = {.iterations = 3000, .learning_rate = 1e-5};
  bool update_bias = false;  // UpdateBias, for layers that have a bias
};

/// Trains on samples; scales stay unchanged. The result has the same bytes for any thread count.
/// Throws InvalidInput for options out of their bounds, and Cancelled.
[[nodiscard]] DescentResult adaquant(const LayerWeights& layer, const LayerSamples& samples,
                                     const AdaQuantOptions& options, ThreadPool& pool,
                                     const CancellationToken& token = {});
/// Trains on the quadratic of second moments, so that every step uses all columns.
[[nodiscard]] DescentResult adaquant(const LayerWeights& layer, const Moments& moments,
                                     const AdaQuantOptions& options, ThreadPool& pool,
                                     const CancellationToken& token = {});

}  // namespace quantsearch::reconstruction
