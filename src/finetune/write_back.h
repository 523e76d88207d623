#pragma once

// Between the integers of the quantized graph and a layer's problem and solution.

#include "finetune/layers.h"
#include "finetune/network.h"

namespace quantsearch::reconstruction {

/// The layer in float with the grid its integers are on, read from the quantized graph.
[[nodiscard]] LayerWeights layer_weights(const TunableLayer& layer, const Model& quantized);
/// What the quantized graph holds now.
[[nodiscard]] Solution stored_solution(const TunableLayer& layer, const Model& quantized);
/// `solution` with the bias that write_solution makes of it: rounded to its grid, which an 8-bit
/// bias may leave far behind, and clipped.
[[nodiscard]] Solution as_written(const TunableLayer& layer, Solution solution,
                                  const Model& quantized);
/// What write_solution may change, to put it back.
using StoredTensors = std::map<std::string, Tensor>;
[[nodiscard]] StoredTensors stored_tensors(const TunableLayer& layer, const Model& quantized);

/// Writes codes, scales and bias into the network and the parameters into `tensors`. The bias is
/// rounded to its own grid.
void write_solution(const TunableLayer& layer, const Solution& solution, Network& network,
                    std::map<std::string, TensorParams>& tensors);

}  // namespace quantsearch::reconstruction
