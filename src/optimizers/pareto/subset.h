#pragma once

#include <span>
#include <vector>

#include "quantsearch/optimizers/non_dominated.h"

namespace quantsearch {

/// `count` points of one front (none dominates another; equal ones may be) that dominate much
/// together: indices, each the one that adds most to those before it, ties to the lower index. At
/// least (1 - 1/e) of the best possible hypervolume (Guerreiro, Fonseca & Paquete 2016). Two
/// objectives: exact gains updated in O(count n); more: lazily, from bounds that only fall (Minoux
/// 1978). All in their order when there are no more than `count`; the first `count` when the
/// reference is not finite.
[[nodiscard]] std::vector<std::size_t> greedy_hypervolume_subset(std::span<const Losses> front,
                                                                 const Losses& reference,
                                                                 std::size_t count);

}  // namespace quantsearch
