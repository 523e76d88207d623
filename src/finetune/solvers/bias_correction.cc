#include "finetune/solvers/bias_correction.h"

#include "finetune/solvers/moments.h"

namespace quantsearch::reconstruction {

std::vector<float> corrected_bias(const LayerWeights& layer, const Solution& solution,
                                  const Moments& moments) {
  const LayerShape& shape = layer.shape;
  const std::vector<float> values = dequantized(layer, solution);
  std::vector<float> bias;
  bias.reserve(static_cast<std::size_t>(shape.outputs()));
  for (std::int64_t output = 0; output < shape.outputs(); ++output) {
    const float* const q = values.data() + output * shape.columns;
    const double* const mean = moments.input_mean.data() + output / shape.rows * shape.columns;
    double correct = moments.output_mean[static_cast<std::size_t>(output)];
    for (std::int64_t input = 0; input < shape.columns; ++input) {
      correct -= static_cast<double>(q[input]) * mean[input];
    }
    bias.push_back(static_cast<float>(correct));
  }
  return bias;
}

}  // namespace quantsearch::reconstruction
