#pragma once

// Chooses the solver the options name, and judges what it gives.

#include "finetune/layer_data.h"
#include "finetune/write_back.h"

namespace quantsearch::reconstruction {

struct Judged {
  Solution solution;
  double error_before = 0;  // relative energy of the difference, of what was stored
  double error_after = 0;   // of `solution`
};

/// `stored` is what the graph `quantized` holds now. The caller keeps what has the smaller error.
[[nodiscard]] Judged solve(const LayerWeights& layer, const Solution& stored,
                           const TunableLayer& described, const Model& quantized, LayerData& data,
                           const FinetuneOptions& options, ThreadPool& pool,
                           const CancellationToken& token);

}  // namespace quantsearch::reconstruction
