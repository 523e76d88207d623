#pragma once

// What is decided together: a node with weights, or a product of two activations, and the operators
// behind it up to the next such node.

#include <map>
#include <string>
#include <vector>

#include "quantsearch/precision.h"

namespace quantsearch {

struct Member {
  int node = 0;  // index in the float graph
  std::string label;
  bool has_weight = false;  // constant
};

struct Layer {
  std::vector<Member> members;  // the first begins the layer
  std::string op_type;
  bool is_free = true;  // false: stays as QuantizeOptions has it
};

/// In the order of the graph. Throws InvalidInput for unknown names in include_layers and
/// exclude_layers.
[[nodiscard]] std::vector<Layer> find_layers(const Model& model,
                                             const QuantizeOptions& quantization,
                                             const PrecisionOptions& options);

/// Gives every member of `layer` its part of `format`.
void set_format(std::map<std::string, NodeFormat>& formats, const Layer& layer,
                const NodeFormat& format);

}  // namespace quantsearch
