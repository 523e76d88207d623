#include "finetune/solve.h"

#include "finetune/moments.h"
#include "quantsearch/base/error.h"

namespace quantsearch::reconstruction {

namespace {

/// b = mean(yf) - Q mean(xq): the bias that leaves each output without mean error
/// (ptq_methods 2.1).
void correct_bias(const LayerWeights& layer, const Moments& moments, Solution& solution) {
  if (solution.bias.empty()) return;
  const std::vector<float> values = dequantized(layer, solution);
  const LayerShape& shape = layer.shape;
  for (std::int64_t output = 0; output < shape.outputs(); ++output) {
    double product = 0;
    for (std::int64_t column = 0; column < shape.columns; ++column) {
      product +=
          static_cast<double>(values[static_cast<std::size_t>(output * shape.columns + column)]) *
          moments
              .input_mean[static_cast<std::size_t>(output / shape.rows * shape.columns + column)];
    }
    solution.bias[static_cast<std::size_t>(output)] =
        static_cast<float>(moments.output_mean[static_cast<std::size_t>(output)] - product);
  }
}

}  // namespace

Judged solve(const LayerWeights& layer, const Solution& stored, const TunableLayer& described,
             LayerData& data, const FinetuneOptions& options, bool may_change_scales,
             ThreadPool& pool, const CancellationToken& token) {
  (void)described;
  (void)may_change_scales;
  const Moments moments = data.moments(pool, token);
  Judged judged{.solution = stored};
  judged.error_before = relative_error(row_errors(layer, stored, moments, pool), moments);
  switch (options.algorithm) {
    case FinetuneAlgorithm::none:
      break;
    case FinetuneAlgorithm::adaround:
    case FinetuneAlgorithm::adaquant:
    case FinetuneAlgorithm::gptq:
      throw Unsupported("finetune: only bias correction");
  }
  if (options.bias_correction) correct_bias(layer, moments, judged.solution);
  judged.error_after = relative_error(row_errors(layer, judged.solution, moments, pool), moments);
  return judged;
}

}  // namespace quantsearch::reconstruction
