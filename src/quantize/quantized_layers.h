#pragma once

// Describes each layer whose weights were stored as integers, for the steps that change the
// integers afterwards.

#include <map>
#include <vector>

#include "quantize/numbers/layer_scales.h"
#include "quantize/placement/plan_view.h"
#include "quantize/writing/emit.h"
#include "quantsearch/quantize.h"

namespace quantsearch {

/// The layers in the order of the nodes. The keys of `written` are nodes of the float model.
[[nodiscard]] std::vector<QuantizedLayer> quantized_layers(
    const PlanView& view, const std::vector<LayerScales>& scales, const Activations& activations,
    const std::map<int, WrittenLayer>& written);

}  // namespace quantsearch
