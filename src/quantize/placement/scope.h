#pragma once

// Finds the nodes that stay float because of the options: operator types, names, regular
// expressions, subgraphs, reachability.

#include <string>
#include <vector>

#include "quantize/placement/graph_view.h"
#include "quantsearch/quantize.h"

namespace quantsearch {

/// One entry per node: "" when the options allow it to be quantized, else the reason. Throws
/// InvalidInput for names that the model does not have (the nearest known name is shown), unknown
/// operator types and invalid regular expressions.
[[nodiscard]] std::vector<std::string> excluded_by_options(const GraphView& view,
                                                           const QuantizeOptions& options);

}  // namespace quantsearch
