#pragma once

// Which quantized nodes ONNX Runtime's CPU provider will nevertheless run in float, and why: known
// from the rules in docs/placement.md before the model is written.

#include <string>

#include "quantize/placement/plan_view.h"
#include "quantsearch/quantize.h"

namespace quantsearch {

/// "" when the node is expected to run as an integer kernel or to vanish into one.
[[nodiscard]] std::string why_not_integer(const PlanView& view, int node);

}  // namespace quantsearch
