#pragma once

// HardSigmoid and HardSwish on integers. ONNX Runtime has no integer kernel for either, but
//   HardSigmoid(x) = slope * clip(x + offset, 0, 1 / slope)
// is an integer Add whose QuantizeLinear saturates at the bounds. Its DequantizeLinear has the
// scale times `slope`, which costs nothing. HardSwish(x) = x * HardSigmoid(x) is one integer Mul
// more.

#include <optional>

#include "quantize/placement/plan_view.h"
#include "quantsearch/quantize.h"

namespace quantsearch {

/// True when HardSigmoid and HardSwish may be written so under these options.
[[nodiscard]] bool has_integer_hard_activations(const QuantizeOptions& options);

struct HardGate {
  float slope = 0;   // > 0
  float offset = 0;  // > 0
};
/// The gate of a HardSigmoid or HardSwish that is quantized to uint8 and written in this form;
/// nullopt for other nodes.
[[nodiscard]] std::optional<HardGate> integer_gate(const PlanView& view, int node);

/// True when a QuantizeLinear with `params` saturates at 0 and at 1 or below, as HardSigmoid does.
[[nodiscard]] bool saturates_like_gate(const TensorParams& params);

}  // namespace quantsearch
