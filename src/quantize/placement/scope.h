#pragma once

// Which nodes the options leave float, and why: operator types, names, regular expressions,
// subgraphs, reachability.

#include <string>
#include <vector>

#include "quantize/placement/graph_view.h"
#include "quantsearch/quantize.h"

namespace quantsearch {

/// One entry per node: "" when the options let it be quantized, else the reason. Throws
/// InvalidInput for names that the model does not have (nearest known shown), unknown operator
/// types and bad regular expressions.
[[nodiscard]] std::vector<std::string> excluded_by_options(const GraphView& view,
                                                           const QuantizeOptions& options);

}  // namespace quantsearch
