#pragma once

// Chooses weights whose products saturating kernels add exactly (docs/targets.md). Where the sum of
// a pair of an output channel could exceed 16 bits, the channel's scale is widened by the factor
// with the least error, and single integers move to the nearest safe ones. The other integers
// compensate for these changes (safe_rounding.h).

#include <vector>

#include "quantize/numbers/activations.h"
#include "quantize/numbers/layer_scales.h"
#include "quantize/placement/plan_view.h"
#include "quantsearch/quantize.h"

namespace quantsearch {

/// Sets LayerScales::limits where the target needs safe pairs, and widens scales that the user has
/// not fixed.
void choose_safe_scales(const PlanView& view, const Activations& activations,
                        const ExtremesByTensor& extremes, std::vector<LayerScales>& layers,
                        ThreadPool& pool);

/// Quantizes the weight of a layer with its final scales, under its limits.
[[nodiscard]] QuantizedTensor quantize_safely(const Node& node, const Tensor& weight,
                                              const LayerScales& layer);

}  // namespace quantsearch
