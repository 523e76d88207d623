#pragma once

// Recognises nodes to which another quantizer has given pairs. They are skipped when the rest of
// such a model is quantized.

#include "quantize/placement/graph_view.h"
#include "quantize/placement/operators.h"
#include "quantsearch/model.h"

namespace quantsearch {

/// True when every activation that the node reads is dequantized right before it, and its result is
/// quantized again or the node is a layer, whose integer kernels can have float results. False for
/// a layer with a float constant as its weight, which the other quantizer left float.
[[nodiscard]] bool is_quantized_already(const GraphView& view, const Node& node,
                                        const OperatorRule& rule);

}  // namespace quantsearch
