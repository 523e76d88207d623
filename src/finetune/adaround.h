#pragma once

// AdaRound (Nagel et al. 2020, arXiv 2004.10568): whether each weight is rounded up or down is
// learned from the layer's reconstruction error. docs/algorithms/adaround.md.

#include "finetune/descent.h"

namespace quantsearch::reconstruction {

struct AdaRoundOptions {
  DescentOptions descent = {};
  double regularization = 0.01;  // RegParam: weight of the sum of 1 - |2h - 1|^beta
  double beta_start = 20;        // BetaRange, from the first to the second along a half cosine
  double beta_end = 2;
  double warm_start = 0.2;  // WarmStart: share of the iterations without the regularizer
};

/// Scales and bias stay. The same bytes for any thread count. Throws InvalidInput for options out
/// of their bounds, Cancelled.
[[nodiscard]] DescentResult adaround(const LayerWeights& layer, const LayerSamples& samples,
                                     const AdaRoundOptions& options, ThreadPool& pool,
                                     const CancellationToken& token = {});
/// On the quadratic of second moments: every step sees all columns.
[[nodiscard]] DescentResult adaround(const LayerWeights& layer, const Moments& moments,
                                     const AdaRoundOptions& options, ThreadPool& pool,
                                     const CancellationToken& token = {});

}  // namespace quantsearch::reconstruction
