#pragma once

// How much of the objective space a set of points dominates, up to a reference point that is worse
// than all of them (Zitzler & Thiele 1998). Minimised; points that are not better than the
// reference in every objective count nothing.

#include <span>
#include <vector>

#include "quantsearch/optimizers/non_dominated.h"

namespace quantsearch {

/// Volume dominated by the points. Exact: a sweep for two objectives and for three (Beume, Fonseca
/// et al. 2009), O(n log n); WFG (While, Bradstreet & Barone 2012) sliced in the last objective
/// down to that for more.
[[nodiscard]] double hypervolume(std::span<const Losses> points, const Losses& reference);

/// What each point dominates that no other does: 0 for dominated points and for equal ones.
[[nodiscard]] std::vector<double> exclusive_contributions(std::span<const Losses> points,
                                                          const Losses& reference);

/// What `point` adds to the hypervolume of `others`, at least 0.
[[nodiscard]] double hypervolume_gain(const Losses& point, std::span<const Losses> others,
                                      const Losses& reference);

/// A reference a tenth beyond the worst of the points in each objective; where that is 0, 1e-12
/// (Ozaki et al. 2022).
[[nodiscard]] Losses reference_beyond(std::span<const Losses> points);

}  // namespace quantsearch
