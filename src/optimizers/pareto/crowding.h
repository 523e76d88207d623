#pragma once

#include <span>
#include <vector>

#include "quantsearch/optimizers/non_dominated.h"

namespace quantsearch {

/// Returns the crowding distance of each point of one front (Deb, Pratap, Agarwal & Meyarivan 2002,
/// section III-B): the sum over the objectives of the gap between both neighbours divided by the
/// range; infinite for the ends. An objective in which all points are equal, or whose range is
/// infinite, adds nothing.
[[nodiscard]] std::vector<double> crowding_distances(std::span<const Losses> front);

}  // namespace quantsearch
