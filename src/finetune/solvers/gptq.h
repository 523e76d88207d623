#pragma once

// Rounding in closed form: one Cholesky factorization of the layer's second moments, then Babai's
// nearest plane for every row, with the scales for which the solver reaches the least error. See
// docs/algorithms/gptq.md.

#include <optional>
#include <vector>

#include "finetune/solvers/layer_problem.h"
#include "quantsearch/base/cancellation.h"
#include "quantsearch/base/thread_pool.h"

namespace quantsearch::reconstruction {

/// How a solver may change the bias.
enum class BiasUpdate {
  keep,    // weights are chosen for the existing bias
  update,  // the bias is jointly optimal; a layer without one gets none
  make,    // the bias is jointly optimal; a layer without one gets one
};

struct GptqOptions {
  /// Weight of the distance from the float weights, as a share of the mean diagonal of H; absent:
  /// default_ridge().
  std::optional<double> ridge = {};
  BiasUpdate bias = BiasUpdate::update;
  /// False: the grid's scales stay unchanged.
  bool choose_scales = true;
  /// Factors of the grid's scales to try in addition to 1. Power-of-two grids ignore them and try
  /// half and double.
  std::vector<double> scale_factors = {0.76, 0.82, 0.88, 0.94, 1.06, 1.12, 1.18, 1.24};
  /// Partial solutions kept for each row (K-best); 1: Babai's nearest plane.
  int beam = 1;
  /// The least beam for layers with K <= 16 (K <= 32 for depthwise layers), where it is nearly
  /// exact and cheap.
  int small_beam = 64;
  /// Passes of coordinate descent after the solver.
  int polish_passes = 1;
};

/// max(0.1, 8 K / columns), see docs/decisions/0008. `columns` is at least 1.
[[nodiscard]] double default_ridge(const LayerShape& shape, std::int64_t columns);

/// Codes, scales and bias with a small squared error J. No row (no layer, if its rows share one
/// scale) has a larger J than nearest rounding at the grid's scales, which is kept when the solver
/// finds nothing better. The result has the same bytes for any thread count. Throws InvalidInput
/// for options out of their bounds, and Cancelled.
[[nodiscard]] Solution gptq(const LayerWeights& layer, const Moments& moments,
                            const GptqOptions& options, ThreadPool& pool,
                            const CancellationToken& token = {});

}  // namespace quantsearch::reconstruction
