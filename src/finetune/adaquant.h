#pragma once

// AdaQuant (Hubara et al. 2020, arXiv 2006.10518): the weights themselves, and the bias when asked,
// are trained on the layer's reconstruction error, straight through the rounding.
// docs/algorithms/adaquant.md.

#include "finetune/descent.h"

namespace quantsearch::reconstruction {

struct AdaQuantOptions {
  DescentOptions descent = {.iterations = 3000, .learning_rate = 1e-5};
  bool update_bias = false;  // UpdateBias, where the layer has one
};

/// Scales stay. The same bytes for any thread count. Throws InvalidInput for options out of their
/// bounds, Cancelled.
[[nodiscard]] DescentResult adaquant(const LayerWeights& layer, const LayerSamples& samples,
                                     const AdaQuantOptions& options, ThreadPool& pool,
                                     const CancellationToken& token = {});
/// On the quadratic of second moments: every step sees all columns.
[[nodiscard]] DescentResult adaquant(const LayerWeights& layer, const Moments& moments,
                                     const AdaQuantOptions& options, ThreadPool& pool,
                                     const CancellationToken& token = {});

}  // namespace quantsearch::reconstruction
