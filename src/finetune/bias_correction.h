#pragma once

// Bias correction: the bias under which the mean of every output is that of the float model (Nagel
// et al. 2019, "Data-Free Quantization", arXiv 1906.04721, section 4.2, measured instead of
// derived).

#include <vector>

#include "finetune/layer_problem.h"

namespace quantsearch::reconstruction {

/// b = mean(yf) - q mean(xq) of each output: the least squared error for these codes. [outputs]
[[nodiscard]] std::vector<float> corrected_bias(const LayerWeights& layer, const Solution& solution,
                                                const Moments& moments);

}  // namespace quantsearch::reconstruction
