#pragma once

// Selects the computable nodes that stay nodes, so that the file does not grow: a ConstantOfShape
// of a few bytes may produce megabytes.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "quantsearch/model.h"
#include "quantsearch/transform.h"

namespace quantsearch {

/// All constant folding of a model together may add this many bytes. Shapes, masks and positions
/// fit into it; a large expanded tensor does not.
inline constexpr std::int64_t kLargestGrowthBytes = std::int64_t{64} << 10;

/// The model's own constants and the results of the computed nodes, by name.
using Constants = std::map<std::string, std::shared_ptr<const Tensor>, std::less<>>;

[[nodiscard]] std::int64_t bytes_of(const Tensor& tensor);

/// Clears `computed` (one entry per node of `graph`) for nodes that must stay, so that the
/// constants grow by at most kLargestGrowthBytes. The weight of a layer does not count, because it
/// can only be quantized when it is a constant. Returns the nodes that stay, in their order.
[[nodiscard]] std::vector<int> keep_inflating_nodes(const Graph& graph, const GraphIndex& index,
                                                    const Constants& constants,
                                                    std::vector<bool>& computed);

/// How to compute the constants that `computed` nodes hand to others and that are larger than what
/// they are computed from.
[[nodiscard]] std::vector<Recipe> recipes_for(const Graph& graph, const GraphIndex& index,
                                              const Constants& constants,
                                              const std::vector<bool>& computed);

}  // namespace quantsearch
