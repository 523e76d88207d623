#pragma once

// The limits that NPUs of the DPU family set on fixed-point positions: docs/algorithms/npu.md.

#include <map>
#include <string>
#include <vector>

#include "quantize/numbers/activations.h"
#include "quantize/numbers/layer_scales.h"
#include "quantize/placement/plan_view.h"
#include "quantsearch/quantize.h"

namespace quantsearch {

/// Throws InvalidInput for options that the rules have no meaning for.
void require_npu_options(const QuantizeOptions& options);

/// `options` with the operator types added that such an NPU quantizes whether or not ONNX Runtime
/// has integer kernels for them.
[[nodiscard]] QuantizeOptions with_npu_types(QuantizeOptions options);

struct NpuOutcome {
  std::map<int, std::string> unmet;  // by node, the rule that was still not met in the last round
  LeftFloat unlike;                  // nodes whose rule would destroy a tensor: to be left float
};

/// Changes scales of activations, weights and biases, all of them powers of two, until every rule
/// holds or `max_loops` rounds are over. Throws InvalidInput when an override stands in the way.
[[nodiscard]] NpuOutcome apply_npu_rules(const PlanView& view, Activations& activations,
                                         std::vector<LayerScales>& layers);

}  // namespace quantsearch
