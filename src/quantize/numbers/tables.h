#pragma once

// Stores the constant tables that Gather reads (embeddings) as integers. A DequantizeLinear follows
// the Gather, so that a run converts only the rows it needs.

#include <map>
#include <memory>
#include <string>

#include "quantize/numbers/parameters.h"
#include "quantize/placement/plan_view.h"
#include "quantsearch/quantize.h"

namespace quantsearch {

/// Quantized tables by name.
using Tables = std::map<std::string, std::shared_ptr<const QuantizedTensor>, std::less<>>;

/// Quantizes every table that a Gather of the plan reads. A table that the model stores as integers
/// keeps them; a table that is also the weight of a quantized layer shares the layer's integers.
[[nodiscard]] Tables quantize_tables(const PlanView& view,
                                     const std::map<int, LayerParameters>& layers,
                                     ThreadPool& pool);

}  // namespace quantsearch
