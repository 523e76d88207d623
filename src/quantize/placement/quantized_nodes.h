#pragma once

// Nodes that another quantizer has given its own pairs: quantizing what such a model has left float
// passes them by.

#include "quantize/placement/graph_view.h"
#include "quantize/placement/operators.h"
#include "quantsearch/model.h"

namespace quantsearch {

/// True when every activation that the node reads is dequantized right before it and its result is
/// quantized again, or it is a layer, whose integer kernels can give floats. A layer with a float
/// constant as its weight is not: it was left float.
[[nodiscard]] bool is_quantized_already(const GraphView& view, const Node& node,
                                        const OperatorRule& rule);

}  // namespace quantsearch
