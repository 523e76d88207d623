#pragma once

// What became of each node, for people and programs.

#include <string>
#include <vector>

#include "quantsearch/base/value.h"
#include "quantsearch/quantize.h"

namespace quantsearch::cli {

/// Counts per operator type, then the reasons with the nodes they concern.
[[nodiscard]] std::string layers_text(const std::vector<LayerRecord>& layers);
[[nodiscard]] Value layers_value(const std::vector<LayerRecord>& layers);

}  // namespace quantsearch::cli
