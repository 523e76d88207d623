#pragma once

// CalibPassthroughOpTypes: operators whose outputs take the range of what they read.

#include <functional>
#include <string>
#include <vector>

#include "quantize/placement/graph_view.h"
#include "quantsearch/quantize.h"

namespace quantsearch {

/// Throws Unsupported for an operator type whose outputs are not made of its inputs' values.
void require_passthrough(const std::vector<std::string>& op_types);

/// The data inputs of the listed operator that makes `tensor`; empty when none does.
[[nodiscard]] std::vector<std::string> passed_inputs(const GraphView& view,
                                                     const QuantizeOptions& options,
                                                     std::string_view tensor);

/// The smallest range that holds all of `ranges`, of which there is at least one.
[[nodiscard]] Range union_of(const std::vector<Range>& ranges);

}  // namespace quantsearch
