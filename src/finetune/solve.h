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

/// One layer, as the solvers and as the graphs know it.
struct LayerTask {
  const LayerWeights& weights;
  const Solution& stored;  // the solution in `quantized`
  const TunableLayer& described;
  const Model& quantized;
};

/// Solves one layer. The caller keeps the solution with the smaller error.
[[nodiscard]] Judged solve(const LayerTask& task, LayerData& data, const FinetuneOptions& options,
                           const FinetuneEnvironment& environment);

}  // namespace quantsearch::reconstruction
