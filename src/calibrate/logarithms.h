#pragma once

// Finds the tensors that a logarithm is computed from. A logarithm turns ratios into differences,
// so it needs small values with the same relative precision as large ones, while a quantizer has
// one step size for both. docs/quantization.md, "Logarithms", states the rule.

#include "quantsearch/calibrate.h"

namespace quantsearch {

/// Adds to `facts` the input of each Log and the tensors from which it is computed by operators
/// that keep proportions and by powers and roots. In these tensors 8 bits may leave too few steps
/// for half of the values that the Log reads.
void follow_logarithms(const Statistics& statistics, const Graph& graph, Facts& facts);

}  // namespace quantsearch
