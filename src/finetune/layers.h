#pragma once

// Which layers can be tuned, and where their parts are in the float and in the quantized graph.

#include <optional>
#include <string>
#include <vector>

#include "finetune/geometry.h"
#include "finetune/layer_problem.h"
#include "quantsearch/finetune.h"

namespace quantsearch::reconstruction {

struct TunableLayer {
  QuantizedLayer stored;
  int float_node = 0;
  std::string op_type;
  LayerGeometry geometry;
  std::string input;        // quantized graph: what the layer reads
  std::string float_input;  // float graph: the same
  Tensor float_weight;      // with Gemm's alpha
  /// [groups][pairs]: weights that must stay safe together; empty: all integers are.
  std::vector<std::vector<WeightPair>> pairs;
  std::vector<float> float_bias;  // [outputs], with Gemm's beta; empty: the layer has no bias
  Activation activation;
  std::optional<OutputGrid> output;  // the quantizer after the activation
};

struct FoundLayers {
  std::vector<TunableLayer> layers;          // in topological order
  std::vector<LayerReconstruction> skipped;  // of the wanted operator types, each with its reason
};

/// `candidate` was made by `quantize` from `reference`.
[[nodiscard]] FoundLayers find_layers(const QuantizedModel& candidate, const Model& reference,
                                      const std::vector<std::string>& op_types);

}  // namespace quantsearch::reconstruction
