#pragma once

// The last step of a solver that knows second moments only: coordinate descent on the codes and the
// bias, on the loss behind the activation, which moments do not hold.

#include "finetune/output_loss.h"
#include "quantsearch/base/cancellation.h"
#include "quantsearch/base/thread_pool.h"

namespace quantsearch::reconstruction {

struct RefineOptions {
  Activation activation = {};
  // As gptq's: weight of staying near the float weights, in shares of the mean x^2.
  double ridge = 0;
  int passes = 1;  // over all weights of a row; a pass that moves nothing is the last
};

/// Moves single codes, and the bias where the layer has one, while the loss over `columns` (plus
/// the ridge) falls. Scales stay. No row's loss is larger than that of `start`. The same bytes for
/// any thread count.
[[nodiscard]] Solution refine(const LayerWeights& layer, Solution start, const Columns& columns,
                              const RefineOptions& options, ThreadPool& pool,
                              const CancellationToken& token = {});

/// Energy of the difference behind the activation over the energy of the float activations.
[[nodiscard]] double error_behind(const LayerWeights& layer, const Solution& solution,
                                  const Columns& columns, const Activation& activation,
                                  ThreadPool& pool);

}  // namespace quantsearch::reconstruction
