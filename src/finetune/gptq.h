#pragma once

// Rounding in closed form: one Cholesky factorization of the layer's second moments, then Babai's
// nearest plane for every row, with the scales chosen by what the solver makes of them.
// docs/algorithms/gptq.md.

#include <optional>
#include <vector>

#include "finetune/layer_problem.h"
#include "quantsearch/base/cancellation.h"
#include "quantsearch/base/thread_pool.h"

namespace quantsearch::reconstruction {

/// What a solver may do with the bias.
enum class BiasUpdate {
  keep,    // weights are chosen for the bias there is
  update,  // jointly optimal where the layer has a bias, else kept absent
  make,    // jointly optimal, also where the layer has none
};

struct GptqOptions {
  /// Weight of staying near the float weights, as a share of the mean diagonal of H; absent:
  /// default_ridge().
  std::optional<double> ridge = {};
  BiasUpdate bias = BiasUpdate::update;
  /// False: the grid's scales stay.
  bool choose_scales = true;
  /// Candidates beside 1, as factors of the grid's scales. Ignored by power-of-two grids, which try
  /// half and double.
  std::vector<double> scale_factors = {0.76, 0.82, 0.88, 0.94, 1.06, 1.12, 1.18, 1.24};
  /// Partial solutions kept for each row (K-best). 1: Babai's nearest plane.
  int beam = 1;
  /// At least this many where K <= 16, or 32 in depthwise layers: near exact there, and cheap.
  int small_beam = 64;
  /// Passes of coordinate descent behind the solver.
  int polish_passes = 1;
};

/// max(0.1, 8 K / columns): docs/decisions/0008. `columns` is at least 1.
[[nodiscard]] double default_ridge(const LayerShape& shape, std::int64_t columns);

/// Codes, scales and bias whose squared error J is small; no row (no layer, where it shares one
/// scale) has a larger J than nearest rounding at the grid's scales, which stays where the solver
/// found nothing better. The same bytes for any thread count. Throws InvalidInput for options out
/// of their bounds, Cancelled.
[[nodiscard]] Solution gptq(const LayerWeights& layer, const Moments& moments,
                            const GptqOptions& options, ThreadPool& pool,
                            const CancellationToken& token = {});

}  // namespace quantsearch::reconstruction
