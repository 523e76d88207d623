#pragma once

// The treatment of each node in quantization, as text and as a value.

#include <string>
#include <vector>

#include "quantsearch/base/value.h"
#include "quantsearch/quantize.h"

namespace quantsearch::cli {

/// Returns the counts per operator type, and then the reasons with their nodes.
[[nodiscard]] std::string layers_text(const std::vector<LayerRecord>& layers);
[[nodiscard]] Value layers_value(const std::vector<LayerRecord>& layers);

}  // namespace quantsearch::cli
