#pragma once

// The units that get one format each: a node with weights, or a product of two activations, and the
// operators after it up to the next such node.

#include <map>
#include <string>
#include <vector>

#include "quantsearch/precision.h"

namespace quantsearch {

struct Member {
  int node = 0;  // index in the float graph
  std::string label;
  bool has_weight = false;  // it has a constant weight
};

struct Layer {
  std::vector<Member> members;  // the first begins the layer
  std::string op_type;
  bool is_free = true;  // false: its format is that of QuantizeOptions
};

/// The layers in the order of the graph. Throws InvalidInput for unknown names in include_layers
/// and exclude_layers.
[[nodiscard]] std::vector<Layer> find_layers(const Model& model,
                                             const QuantizeOptions& quantization,
                                             const PrecisionOptions& options);

/// Gives every member of `layer` the format `format`, without a weight type if it has no weight.
void set_format(std::map<std::string, NodeFormat>& formats, const Layer& layer,
                const NodeFormat& format);

}  // namespace quantsearch
