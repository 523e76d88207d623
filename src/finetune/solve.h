#pragma once

// Runs the solver that the options select and measures the errors of its result.

#include "finetune/layer_data.h"
#include "finetune/write_back.h"

namespace quantsearch::reconstruction {

struct Judged {
  Solution solution;
  double error_before = 0;  // relative energy of the difference, of the stored solution
  double error_after = 0;   // of `solution`
};

/// Solves one layer. `stored` is the solution in the graph `quantized`. The caller keeps the
/// solution with the smaller error.
[[nodiscard]] Judged solve(const LayerWeights& layer, const Solution& stored,
                           const TunableLayer& described, const Model& quantized, LayerData& data,
                           const FinetuneOptions& options, ThreadPool& pool,
                           const CancellationToken& token);

}  // namespace quantsearch::reconstruction
