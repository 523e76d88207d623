#pragma once

// Non-domination ranks of points that are minimised in every objective.

#include <cstdint>
#include <span>
#include <vector>

namespace quantsearch {

/// One point: a number per objective, smaller is better, never NaN.
using Losses = std::vector<double>;

/// True when `one` is not worse than `other` in any objective and better in at least one.
[[nodiscard]] bool dominates(std::span<const double> one, std::span<const double> other);

/// Returns the sum of the positive constraints; 0 means feasible.
[[nodiscard]] double violation_of(std::span<const double> constraints);

/// Returns the rank of every point. Points of rank 0 are dominated by none; points of rank k are
/// dominated by none once the points of lower ranks are removed. Equal points share a rank. This
/// takes O(n log n) for one and two objectives (sweep); more objectives use the efficient
/// non-dominated sort with binary search (Zhang, Tian, Cheng & Jin 2015).
[[nodiscard]] std::vector<std::int64_t> non_dominated_ranks(std::span<const Losses> points);

/// The same with constraint domination (Deb, Pratap, Agarwal & Meyarivan 2002, section VI):
/// feasible points come first, by rank; the others follow, with one rank for each distinct
/// violation.
[[nodiscard]] std::vector<std::int64_t> constrained_ranks(std::span<const Losses> points,
                                                          std::span<const double> violations);

/// Returns the indices of the points of each rank, in the order of the points.
[[nodiscard]] std::vector<std::vector<std::size_t>> fronts_of(std::span<const std::int64_t> ranks);

}  // namespace quantsearch
