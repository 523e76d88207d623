#pragma once

// Chooses the solver the options name, and judges what it gives.

#include "finetune/layer_data.h"

namespace quantsearch::reconstruction {

struct Judged {
  Solution solution;
  double error_before = 0;  // relative energy of the difference, of what was stored
  double error_after = 0;   // of `solution`
};

/// `stored` is what the quantized graph holds now. The result is never worse than it: `solution` is
/// `stored` when nothing better was found.
[[nodiscard]] Judged solve(const LayerWeights& layer, const Solution& stored,
                           const TunableLayer& described, LayerData& data,
                           const FinetuneOptions& options, bool may_change_scales, ThreadPool& pool,
                           const CancellationToken& token);

}  // namespace quantsearch::reconstruction
