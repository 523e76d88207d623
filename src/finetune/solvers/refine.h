#pragma once

// The last step after a solver that uses second moments only: coordinate descent on the codes and
// the bias for the loss after the activation, which moments do not contain.

#include "finetune/solvers/output_loss.h"
#include "quantsearch/base/cancellation.h"
#include "quantsearch/base/thread_pool.h"

namespace quantsearch::reconstruction {

struct RefineOptions {
  Activation activation = {};
  // As in gptq: weight of the distance from the float weights, as a share of the mean x^2.
  double ridge = 0;
  int passes = 1;  // passes over all weights of a row; a pass that moves nothing is the last
};

/// Moves single codes, and the bias if the layer has one, as long as the loss over `columns` plus
/// the ridge term falls. Scales stay unchanged. No row has a larger loss than in `start`. The
/// result has the same bytes for any thread count. Throws Cancelled.
[[nodiscard]] Solution refine(const LayerWeights& layer, Solution start, const Columns& columns,
                              const RefineOptions& options, ThreadPool& pool,
                              const CancellationToken& token = {});

/// The energy of the difference after the activation divided by the energy of the float
/// activations.
[[nodiscard]] double error_after_activation(const LayerWeights& layer, const Solution& solution,
                                            const Columns& columns, const Activation& activation,
                                            ThreadPool& pool);

}  // namespace quantsearch::reconstruction
