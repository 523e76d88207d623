#pragma once

// Applies the limits of NPUs of the DPU family to fixed-point positions; see
// docs/algorithms/npu.md.

#include <map>
#include <string>
#include <vector>

#include "quantize/numbers/activations.h"
#include "quantize/numbers/layer_scales.h"
#include "quantize/placement/plan_view.h"
#include "quantsearch/quantize.h"

namespace quantsearch {

/// Throws InvalidInput for options under which the rules do not apply.
void require_npu_options(const QuantizeOptions& options);

/// `options` plus the operator types that such an NPU quantizes whether or not ONNX Runtime has
/// integer kernels for them.
[[nodiscard]] QuantizeOptions with_npu_types(QuantizeOptions options);

struct NpuOutcome {
  std::map<int, std::string> unmet;  // by node: the rule that is not met after the last round
  LeftFloat unlike;  // nodes that must stay float because their rule would destroy a tensor
};

/// Changes scales of activations, weights and biases, all of them powers of two, until every rule
/// holds or `max_loops` rounds are over. Throws InvalidInput when an override contradicts a rule.
[[nodiscard]] NpuOutcome apply_npu_rules(const PlanView& view, Activations& activations,
                                         std::vector<LayerScales>& layers);

}  // namespace quantsearch
