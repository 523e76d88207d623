#pragma once

// Bias correction chooses the bias with which the mean of every output equals that of the float
// model (Nagel et al. 2019, "Data-Free Quantization", arXiv 1906.04721, section 4.2; here the means
// are measured instead of derived).

#include <vector>

#include "finetune/solvers/layer_problem.h"

namespace quantsearch::reconstruction {

/// b = mean(yf) - q mean(xq) for each output, the bias with the least squared error for these codes
/// [outputs].
[[nodiscard]] std::vector<float> corrected_bias(const LayerWeights& layer, const Solution& solution,
                                                const Moments& moments);

}  // namespace quantsearch::reconstruction
