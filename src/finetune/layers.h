#pragma once

// Finds the layers that can be tuned and their tensors in the float and in the quantized graph.

#include <optional>
#include <string>
#include <vector>

#include "finetune/geometry.h"
#include "finetune/solvers/layer_problem.h"
#include "quantsearch/finetune.h"

namespace quantsearch::reconstruction {

struct TunableLayer {
  QuantizedLayer stored;
  int float_node = 0;
  std::string op_type;
  LayerGeometry geometry;
  std::string input;        // input tensor in the quantized graph
  std::string float_input;  // input tensor in the float graph
  Tensor float_weight;      // multiplied by Gemm's alpha
  /// [groups][pairs]: weights whose pairs must stay safe; empty: all integers are safe.
  std::vector<std::vector<WeightPair>> pairs;
  std::vector<float> float_bias;  // [outputs], multiplied by Gemm's beta; empty: no bias
  Activation activation;
  std::optional<OutputGrid> output;  // the quantizer after the activation
};

struct FoundLayers {
  std::vector<TunableLayer> layers;          // in topological order
  std::vector<LayerReconstruction> skipped;  // of the wanted operator types, with reasons
};

/// Finds the layers of the given operator types. `candidate` was made by `quantize` from
/// `reference`.
[[nodiscard]] FoundLayers find_layers(const QuantizedModel& candidate, const Model& reference,
                                      const std::vector<std::string>& op_types);

}  // namespace quantsearch::reconstruction
