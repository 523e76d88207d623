#pragma once

#include <cstddef>
#include <vector>

#include "quantsearch/search/space.h"

namespace quantsearch {

/// Returns the positions of `expected`, cheap points first and points with shared prefixes
/// adjacent: groups of points whose prefixes begin with the same key are ordered by their cheapest
/// member, recursively along the prefix. Ties keep their order.
[[nodiscard]] std::vector<std::size_t> cost_order(const std::vector<Expected>& expected);

/// Returns seconds that can be compared and divided by: a value that is not positive and finite
/// becomes the largest cost.
[[nodiscard]] double usable_seconds(double seconds);

}  // namespace quantsearch
