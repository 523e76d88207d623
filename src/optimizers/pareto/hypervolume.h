#pragma once

// The volume of the objective space that a set of points dominates, up to a reference point that is
// worse than all of them (Zitzler & Thiele 1998). Objectives are minimised; points that are not
// better than the reference in every objective add nothing.

#include <span>
#include <vector>

#include "quantsearch/optimizers/non_dominated.h"

namespace quantsearch {

/// Returns the exact volume dominated by the points: by an O(n log n) sweep for two and three
/// objectives (Beume, Fonseca et al. 2009), and by WFG (While, Bradstreet & Barone 2012) for more,
/// which slices the last objective until three are left.
[[nodiscard]] double hypervolume(std::span<const Losses> points, const Losses& reference);

/// Returns the volume that only this point dominates, for each point; 0 for dominated points and
/// for equal ones.
[[nodiscard]] std::vector<double> exclusive_contributions(std::span<const Losses> points,
                                                          const Losses& reference);

/// Returns the volume that `point` adds to the hypervolume of `others`, at least 0.
[[nodiscard]] double hypervolume_gain(const Losses& point, std::span<const Losses> others,
                                      const Losses& reference);

/// Returns a reference that is a tenth worse than the worst of the points in each objective, and
/// 1e-12 where the worst is 0 (Ozaki et al. 2022).
[[nodiscard]] Losses reference_beyond(std::span<const Losses> points);

}  // namespace quantsearch
