#pragma once

#include <span>
#include <vector>

#include "quantsearch/optimizers/non_dominated.h"

namespace quantsearch {

/// Crowding distance of each point of one front (Deb, Pratap, Agarwal & Meyarivan 2002, section
/// III-B): per objective the gap between both neighbours over the range, summed; infinite for the
/// ends. An objective in which all are equal, or whose range is infinite, adds nothing.
[[nodiscard]] std::vector<double> crowding_distances(std::span<const Losses> front);

}  // namespace quantsearch
