#pragma once

#include <cstddef>
#include <vector>

#include "quantsearch/search/space.h"

namespace quantsearch {

/// Positions of `expected` in the order of order_by_cost().
[[nodiscard]] std::vector<std::size_t> cost_order(const std::vector<Expected>& expected);

/// Expected seconds that can be compared and divided by: what is not a positive finite number costs
/// the most.
[[nodiscard]] double usable_seconds(double seconds);

}  // namespace quantsearch
