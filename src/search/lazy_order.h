#pragma once

// Order for a space too large to enumerate: the parameters and their choices are put in order, so
// that walking by index goes cheap first and keeps shared stages together.

#include "quantsearch/search/space.h"

namespace quantsearch {

/// The same points, renumbered. Around one valid point of each product every choice of every
/// parameter is tried alone: its choices are sorted by the expected seconds they lead to, and
/// parameters that act on an earlier stage (the first key of the prefix that changes) vary slower.
/// Costs one normalization for each choice and no walk.
[[nodiscard]] Space ordered_for_walk(const Space& space, const Normalize& normalize,
                                     const CostModel& cost);

}  // namespace quantsearch
