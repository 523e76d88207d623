#pragma once

#include <span>
#include <vector>

#include "quantsearch/optimizers/non_dominated.h"

namespace quantsearch {

/// Returns the indices of `count` points of one front (no point dominates another; equal points are
/// allowed) with a large common hypervolume. Each point is the one that adds most to those before
/// it; ties go to the lower index. The result has at least (1 - 1/e) of the best possible
/// hypervolume (Guerreiro, Fonseca & Paquete 2016). For two objectives exact gains are updated in
/// O(count n); for more they are evaluated lazily from bounds that only decrease (Minoux 1978).
/// Returns all points in their order when there are at most `count`, and the first `count` when the
/// reference is not finite.
[[nodiscard]] std::vector<std::size_t> greedy_hypervolume_subset(std::span<const Losses> front,
                                                                 const Losses& reference,
                                                                 std::size_t count);

}  // namespace quantsearch
