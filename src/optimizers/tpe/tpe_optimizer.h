#pragma once

// The tree-structured Parzen estimator with parameters that the public interface does not offer.
// They were measured once (docs/algorithms/samplers/tpe.md) and are changed only in new
// measurements.

#include <memory>

#include "optimizers/tpe/parzen.h"
#include "quantsearch/optimizers.h"

namespace quantsearch {

struct TpeTuning {
  double good_share = 0.1;  // of the finished trials
  double most_good = 25;    // upper bound with one objective
  /// For real numbers the kernels are narrower than those of the reference (exponent 1):
  /// docs/decisions/0007.
  Bandwidths bandwidths = {.clip_exponent = 1.25};
  /// Probability with which a coordinate of a joint candidate comes from another kernel.
  double mixing = 0.25;
  /// Most trials that the estimator looks at, so that neither a proposal nor the memory grows
  /// without end: of more, the best half of so many and the latest half.
  std::size_t most_trials = 10'000;
  /// While trials are pending, a good trial of rank r among g is weighted by this power of
  /// ln((g + 1) / r). 0: all alike.
  double rank_power = 3;
};

[[nodiscard]] std::unique_ptr<Optimizer> tuned_tpe_optimizer(Domain domain,
                                                             const TpeOptions& options,
                                                             const TpeTuning& tuning);

}  // namespace quantsearch
