#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "quantsearch/quantize.h"

namespace quantsearch::cli {

/// Says how many nodes of each operator type are quantized, those with quantized nodes first, and
/// why the others stay float: nodes with the same reason together, shapes and indices in one line.
[[nodiscard]] std::string layers_text(const std::vector<LayerRecord>& layers, std::size_t width);

}  // namespace quantsearch::cli
