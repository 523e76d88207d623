#pragma once

// AdaRound (Nagel et al. 2020, arXiv 2004.10568) learns from the layer's reconstruction error
// whether each weight is rounded up or down. See docs/algorithms/adaround.md.

#include "finetune/solvers/descent.h"

namespace quantsearch::reconstruction {

struct AdaRoundOptions {
  DescentOptions descent = {};
  double regularization = 0.01;  // RegParam: weight of the sum of 1 - |2h - 1|^beta
  double beta_start = 20;        // BetaRange: beta goes from start to end along a half cosine
  double beta_end = 2;
  double warm_start = 0.2;  // WarmStart: share of the iterations without the regularizer
};

/// Trains on samples; scales and bias stay unchanged. The result has the same bytes for any thread
/// count. Throws InvalidInput for options out of their bounds, and Cancelled.
[[nodiscard]] DescentResult adaround(const LayerWeights& layer, const LayerSamples& samples,
                                     const AdaRoundOptions& options, ThreadPool& pool,
                                     const CancellationToken& token = {});
/// Trains on the quadratic of second moments, so that every step uses all columns.
[[nodiscard]] DescentResult adaround(const LayerWeights& layer, const Moments& moments,
                                     const AdaRoundOptions& options, ThreadPool& pool,
                                     const CancellationToken& token = {});

}  // namespace quantsearch::reconstruction
