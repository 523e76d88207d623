#pragma once

// Converts between the integers of the quantized graph and the problem and solution of a layer.

#include "finetune/layers.h"
#include "finetune/network.h"

namespace quantsearch::reconstruction {

/// The float layer with the grid of its integers, which is read from the quantized graph.
[[nodiscard]] LayerWeights layer_weights(const TunableLayer& layer, const Model& quantized);
/// The solution that the quantized graph contains.
[[nodiscard]] Solution stored_solution(const TunableLayer& layer, const Model& quantized);
/// `solution` with the bias as write_solution() will store it: rounded to its grid, which is coarse
/// for an 8-bit bias, and clipped.
[[nodiscard]] Solution as_written(const TunableLayer& layer, Solution solution,
                                  const Model& quantized);
/// The tensors that write_solution() may change, so that it can be undone.
using StoredTensors = std::map<std::string, Tensor>;
[[nodiscard]] StoredTensors stored_tensors(const TunableLayer& layer, const Model& quantized);

/// Writes codes, scales and bias to the network and the parameters to `tensors`. The bias is
/// rounded to its own grid.
void write_solution(const TunableLayer& layer, const Solution& solution, Network& network,
                    std::map<std::string, TensorParams>& tensors);

}  // namespace quantsearch::reconstruction
