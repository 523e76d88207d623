#pragma once

// What about a single node keeps it float whatever the options say.

#include <string>

#include "quantize/placement/operators.h"
#include "quantsearch/quantize.h"

namespace quantsearch {

/// "" when the node can work on quantized tensors, else the reason it cannot.
[[nodiscard]] std::string why_not_quantizable(const Model& model, const GraphIndex& index, int node,
                                              const QuantizeOptions& options);

}  // namespace quantsearch
