#pragma once

// Finds the reason why a node cannot be quantized that lies in the node and its tensors, as opposed
// to the nodes that options exclude by name or type (scope.h).

#include <string>

#include "quantize/placement/operators.h"
#include "quantsearch/quantize.h"

namespace quantsearch {

/// "" when the node can work on quantized tensors, else the reason why it cannot.
[[nodiscard]] std::string why_not_quantizable(const Model& model, const GraphIndex& index, int node,
                                              const QuantizeOptions& options);

}  // namespace quantsearch
