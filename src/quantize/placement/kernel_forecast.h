#pragma once

// Predicts which quantized nodes ONNX Runtime's CPU provider will nevertheless run in float, and
// why. The rules in docs/placement.md tell this before the model is written.

#include <string>

#include "quantize/placement/plan_view.h"
#include "quantsearch/quantize.h"

namespace quantsearch {

/// "" when the node is expected to run as an integer kernel or to be fused into one, else the
/// reason why it runs in float.
[[nodiscard]] std::string why_not_integer(const PlanView& view, int node);

}  // namespace quantsearch
