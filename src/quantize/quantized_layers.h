#pragma once

// What quantization knows of each layer whose weights it has stored, for the steps that change them
// afterwards.

#include <map>
#include <vector>

#include "quantize/numbers/layer_scales.h"
#include "quantize/placement/plan_view.h"
#include "quantize/writing/emit.h"
#include "quantsearch/quantize.h"

namespace quantsearch {

/// In the order of the nodes. `written` is by node of the float model.
[[nodiscard]] std::vector<QuantizedLayer> quantized_layers(
    const PlanView& view, const std::vector<LayerScales>& scales, const Activations& activations,
    const std::map<int, WrittenLayer>& written);

}  // namespace quantsearch
