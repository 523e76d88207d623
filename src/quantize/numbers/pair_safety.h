#pragma once

// Weights that saturating kernels multiply exactly (docs/targets.md). Where the pairs of an output
// channel could leave 16 bits, its scale is widened just as far as costs least, and single integers
// move to the nearest ones that are safe. The others take up what that changes (safe_rounding.h).

#include <vector>

#include "quantize/numbers/activations.h"
#include "quantize/numbers/layer_scales.h"
#include "quantize/placement/plan_view.h"
#include "quantsearch/quantize.h"

namespace quantsearch {

/// Sets LayerScales::limits where the target asks for safe pairs, and widens scales that are not
/// fixed by the user.
void choose_safe_scales(const PlanView& view, const Activations& activations,
                        const ExtremesByTensor& extremes, std::vector<LayerScales>& layers,
                        ThreadPool& pool);

/// Quantizes the weight of a layer, whose scales are settled, under its limits.
[[nodiscard]] QuantizedTensor quantize_safely(const Node& node, const Tensor& weight,
                                              const LayerScales& layer);

}  // namespace quantsearch
