#pragma once

// Order for a space that is too large to enumerate: the parameters and their choices are sorted, so
// that a walk by index visits cheap points first and keeps points with shared stages together.

#include "quantsearch/search/space.h"

namespace quantsearch {

/// Returns the same points, renumbered. Starting from one valid point of each product, every choice
/// of every parameter is tried alone. Choices are sorted by the expected seconds that they lead to,
/// and parameters that affect an earlier stage (the first key of the prefix that changes) vary more
/// slowly. This takes one normalization for each choice and no enumeration.
[[nodiscard]] Space ordered_for_walk(const Space& space, const Normalize& normalize,
                                     const CostModel& cost);

}  // namespace quantsearch
