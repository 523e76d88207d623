#pragma once

// Decides which integer type each node reads and which types the pairs of each tensor have. The
// types of a tensor are those of its readers; each type is quantized once, from the float value.

#include "quantize/placement/graph_view.h"
#include "quantize/placement/plan.h"

namespace quantsearch {

/// Fills NodePlan::activation, NodePlan::weight and PairPlan::types of a plan whose pairs are
/// placed. Throws InvalidInput for the format of a node that cannot have one.
void assign_types(Plan& plan, const GraphView& view, const QuantizeOptions& options);

/// True for clamps, data movement and padding, whose type is that of the values they pass on.
[[nodiscard]] bool passes_values_on(const NodePlan& node);

}  // namespace quantsearch
