#pragma once

// Which of the nodes that could be computed stay nodes after all, so that the file does not grow: a
// ConstantOfShape of a few bytes may stand for megabytes.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "quantsearch/model.h"

namespace quantsearch {

/// All folding of a model together may add this much: shapes, masks and positions are folded, a
/// tensor that is written out is not.
inline constexpr std::int64_t kLargestGrowthBytes = 64 * 1024;

/// By name: the model's own constants and the results of the nodes that were computed.
using Constants = std::map<std::string, std::shared_ptr<const Tensor>, std::less<>>;

[[nodiscard]] std::int64_t bytes_of(const Tensor& tensor);

/// Clears `computed` (one entry per node of `graph`) where keeping the node lets the constants grow
/// by at most kLargestGrowthBytes. The weight of a layer does not count: it is a constant to be
/// quantized, and computed it can be. Returns the nodes, in their order.
[[nodiscard]] std::vector<int> keep_inflating_nodes(const Graph& graph, const GraphIndex& index,
                                                    const Constants& constants,
                                                    std::vector<bool>& computed);

}  // namespace quantsearch
