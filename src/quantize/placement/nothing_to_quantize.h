#pragma once

// Rejects a quantization that would change nothing. The message gives the reason for each operator
// type and the settings that would help.

#include <vector>

#include "quantsearch/quantize.h"

namespace quantsearch {

/// Throws InvalidInput unless an operator that computes is quantized.
void require_something_quantized(const std::vector<LayerRecord>& records);

}  // namespace quantsearch
