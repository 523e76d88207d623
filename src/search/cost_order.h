#pragma once

#include <cstddef>
#include <vector>

#include "quantsearch/search/space.h"

namespace quantsearch {

/// Positions of `expected`, cheap first, shared prefixes together: groups of points with a common
/// first key of the prefix are ordered by their cheapest member, recursively along the prefix. Ties
/// keep their order.
[[nodiscard]] std::vector<std::size_t> cost_order(const std::vector<Expected>& expected);

/// Expected seconds that can be compared and divided by: what is not a positive finite number costs
/// the most.
[[nodiscard]] double usable_seconds(double seconds);

}  // namespace quantsearch
