#pragma once

// The treatment of each node in quantization, as text.

#include <string>
#include <vector>

#include "quantsearch/quantize.h"

namespace quantsearch::cli {

/// Returns the counts per operator type, and then the reasons with their nodes.
[[nodiscard]] std::string layers_text(const std::vector<LayerRecord>& layers);

}  // namespace quantsearch::cli
