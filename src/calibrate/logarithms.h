#pragma once

// What a logarithm is computed from. It turns ratios into differences, so it needs the small values
// as precisely, in proportion, as the large ones; a quantizer has one step for both.
// docs/quantization.md, "Logarithms", has the rule.

#include "quantsearch/calibrate.h"

namespace quantsearch {

/// Adds to `facts` the tensors of which 8 bits would leave half of the values that a Log reads too
/// few steps: its input, and what this is computed from without a function that bends between.
void follow_logarithms(const Statistics& statistics, const Graph& graph, Facts& facts);

}  // namespace quantsearch
