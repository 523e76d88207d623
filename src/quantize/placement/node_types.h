#pragma once

// Which integer type each node reads and which types the pairs of each tensor have: the readers of
// a tensor decide, each gets its values quantized once, from the float value.

#include "quantize/placement/graph_view.h"
#include "quantize/placement/plan.h"

namespace quantsearch {

/// Fills NodePlan::activation, NodePlan::weight and PairPlan::types of a plan whose pairs are
/// placed. Throws InvalidInput for a format of a node that can have none.
void assign_types(Plan& plan, const GraphView& view, const QuantizeOptions& options);

/// Clamps, data movement and padding: they work in the type of the values they pass on.
[[nodiscard]] bool passes_values_on(const NodePlan& node);

}  // namespace quantsearch
