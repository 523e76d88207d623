#pragma once

// Constant tables that Gather reads (embeddings), stored as integers: DequantizeLinear follows the
// Gather, so that a run touches the rows it needs and nothing else.

#include <map>
#include <memory>
#include <string>

#include "quantize/numbers/parameters.h"
#include "quantize/placement/plan_view.h"
#include "quantsearch/quantize.h"

namespace quantsearch {

/// By name of the table.
using Tables = std::map<std::string, std::shared_ptr<const QuantizedTensor>, std::less<>>;

/// Every table that a Gather of the plan reads. One that the model stores as integers keeps them;
/// one that a quantized layer reads as its weight, too, shares the layer's integers.
[[nodiscard]] Tables quantize_tables(const PlanView& view,
                                     const std::map<int, LayerParameters>& layers,
                                     ThreadPool& pool);

}  // namespace quantsearch
