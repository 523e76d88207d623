#pragma once

// The end of a quantization that would change nothing: why, for each operator type, and the way out
// that these reasons leave.

#include <vector>

#include "quantsearch/quantize.h"

namespace quantsearch {

/// Throws InvalidInput unless an operator that computes is quantized.
void require_something_quantized(const std::vector<LayerRecord>& records);

}  // namespace quantsearch
