#pragma once

// Which layers can be tuned, and where their parts are in the float and in the quantized graph.

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "finetune/geometry.h"
#include "finetune/layer_problem.h"
#include "quantsearch/finetune.h"

namespace quantsearch::reconstruction {

/// An integer constant of the quantized graph and its parameters, by initializer name.
struct StoredConstant {
  std::string integers;
  std::string scale;
  std::string zero_point;  // "": none
};

struct TunableLayer {
  int float_node = 0;
  int quantized_node = 0;
  std::string label;
  std::string op_type;
  LayerGeometry geometry;
  std::string input;        // quantized graph: what the layer reads
  std::string float_input;  // float graph: the same
  std::string target;       // float graph: output before the activation, bias included
  StoredConstant weight;
  std::string weight_name;  // in QuantizedModel::tensors
  Tensor float_weight;      // Gemm's alpha inside
  /// [groups][pairs]: weights that must stay safe together; empty: all integers are.
  std::vector<std::vector<WeightPair>> pairs;
  /// Integer bias behind a DequantizeLinear, or a float one; neither: the layer has no bias.
  std::optional<StoredConstant> bias;
  std::string bias_name;             // in QuantizedModel::tensors
  std::string float_bias;            // initializer of the quantized graph
  std::optional<float> input_scale;  // absent: the input is not quantized
  Activation activation;
  std::optional<OutputGrid> output;  // the quantizer behind the activation
};

struct FoundLayers {
  std::vector<TunableLayer> layers;          // in topological order
  std::vector<LayerReconstruction> skipped;  // of the wanted operator types, each with its reason
};

/// Throws InternalError when `candidate` was not made from `reference`.
[[nodiscard]] FoundLayers find_layers(const QuantizedModel& candidate, const Model& reference,
                                      const std::vector<std::string>& op_types);

}  // namespace quantsearch::reconstruction
