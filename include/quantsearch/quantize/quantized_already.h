#pragma once

// Models that come out of another quantizer. Where activations have quantizers, calibration and
// pairs of ours would come on top of theirs and make the model worse; where only weights are stored
// as integers, the model computes in float and is quantized like any other.

#include <map>
#include <string>

#include "quantsearch/model.h"

namespace quantsearch {

struct QuantizedAlready {
  /// Operators, subgraphs included, that quantize an activation or compute on integers: operator
  /// type -> number of nodes. Empty for a float model.
  std::map<std::string, int> of_activations = {};
  /// Nodes that make float weights of stored integers: DequantizeLinear of constants, MatMulNBits.
  std::map<std::string, int> of_weights = {};
};

[[nodiscard]] QuantizedAlready quantized_already(const Model& model);
/// "12 QLinearConv, 24 QuantizeLinear".
[[nodiscard]] std::string to_string(const std::map<std::string, int>& operators);

/// Throws InvalidInput, naming the operators, when activations are quantized already.
void require_float_activations(const Model& model);

}  // namespace quantsearch
