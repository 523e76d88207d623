#include "finetune/solve.h"

#include "finetune/bias_correction.h"
#include "finetune/gptq.h"
#include "finetune/moments.h"
#include "quantsearch/base/error.h"

namespace quantsearch::reconstruction {

namespace {

Solution solve_gptq(const LayerWeights& layer, const Moments& moments,
                    const FinetuneOptions& options, bool may_change_scales, ThreadPool& pool,
                    const CancellationToken& token) {
  return gptq(layer, moments,
              {.choose_scales = options.choose_scales && may_change_scales, .beam = options.beam, .small_beam = 4},
              pool, token);
}

}  // namespace

Judged solve(const LayerWeights& layer, const Solution& stored, const TunableLayer& described,
             LayerData& data, const FinetuneOptions& options, bool may_change_scales,
             ThreadPool& pool, const CancellationToken& token) {
  (void)described;
  const Moments moments = data.moments(pool, token);
  Judged judged{.solution = stored};
  judged.error_before = relative_error(row_errors(layer, stored, moments, pool), moments);
  switch (options.algorithm) {
    case FinetuneAlgorithm::none:
      break;
    case FinetuneAlgorithm::adaround:
    case FinetuneAlgorithm::adaquant:
      throw Unsupported("finetune: adaround and adaquant are not built yet; take gptq");
    case FinetuneAlgorithm::gptq:
      judged.solution = solve_gptq(layer, moments, options, may_change_scales, pool, token);
      break;
  }
  if (options.bias_correction && !judged.solution.bias.empty()) {
    judged.solution.bias = corrected_bias(layer, judged.solution, moments);
  }
  judged.error_after = relative_error(row_errors(layer, judged.solution, moments, pool), moments);
  return judged;
}

}  // namespace quantsearch::reconstruction
