#pragma once

// The tree-structured Parzen estimator with what its door does not offer: settings that were
// measured once (docs/algorithms/samplers/tpe.md) and are only changed to measure again.

#include <memory>

#include "optimizers/tpe/parzen.h"
#include "quantsearch/optimizers.h"

namespace quantsearch {

struct TpeTuning {
  double good_share = 0.1;  // of the finished trials
  double most_good = 25;    // of one objective
  /// Narrower kernels than the reference's (exponent 1) for real numbers: docs/decisions/0007.
  Bandwidths bandwidths = {.clip_exponent = 1.25};
  /// Probability with which a coordinate of a joint candidate comes from another kernel.
  double mixing = 0.25;
};

[[nodiscard]] std::unique_ptr<Optimizer> tuned_tpe_optimizer(Domain domain,
                                                             const TpeOptions& options,
                                                             const TpeTuning& tuning);

}  // namespace quantsearch
