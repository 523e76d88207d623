#pragma once

// Implements CalibPassthroughOpTypes: operators whose outputs take the range of their inputs.

#include <functional>
#include <string>
#include <vector>

#include "quantize/placement/graph_view.h"
#include "quantsearch/quantize.h"

namespace quantsearch {

/// Throws Unsupported for an operator type whose outputs do not consist of its inputs' values.
void require_passthrough(const std::vector<std::string>& op_types);

/// The data inputs of the operator that produces `tensor` if its type is listed, else empty.
[[nodiscard]] std::vector<std::string> passed_inputs(const GraphView& view,
                                                     const QuantizeOptions& options,
                                                     std::string_view tensor);

/// The smallest range that contains all of `ranges`, which must not be empty.
[[nodiscard]] Range union_of(const std::vector<Range>& ranges);

}  // namespace quantsearch
