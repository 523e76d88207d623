#pragma once

// Recognises models that another quantizer has written. Where activations are quantized already, a
// second calibration and further pairs would make the model worse. Where only weights are stored as
// integers, the model computes in float and is quantized like any other.

#include <map>
#include <string>

#include "quantsearch/model.h"

namespace quantsearch {

struct QuantizedAlready {
  /// Operators, subgraphs included, that quantize an activation or compute on integers: operator
  /// type -> number of nodes. Empty for a float model.
  std::map<std::string, int> of_activations = {};
  /// Operators that convert stored integers to float weights (DequantizeLinear of constants,
  /// MatMulNBits): operator type -> number of nodes.
  std::map<std::string, int> of_weights = {};
};

[[nodiscard]] QuantizedAlready quantized_already(const Model& model);
/// For example "12 QLinearConv, 24 QuantizeLinear".
[[nodiscard]] std::string to_string(const std::map<std::string, int>& operators);

/// Throws InvalidInput, with the names of the operators, when activations are quantized already.
void require_float_activations(const Model& model);

}  // namespace quantsearch
