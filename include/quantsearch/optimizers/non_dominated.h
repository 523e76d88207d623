#pragma once

// Who dominates whom: non-domination ranks of points that are minimised in every objective.

#include <cstdint>
#include <span>
#include <vector>

namespace quantsearch {

/// One point: a number per objective, smaller is better, never NaN.
using Losses = std::vector<double>;

/// Not worse in any objective, better in one.
[[nodiscard]] bool dominates(std::span<const double> one, std::span<const double> other);

/// Sum of the positive parts: 0 is feasible.
[[nodiscard]] double violation_of(std::span<const double> constraints);

/// Rank of every point: 0 is dominated by none, k only once the ranks below are taken away. Equal
/// points share a rank. O(n log n) for one and two objectives (sweep), else efficient
/// non-dominated sort with binary search (Zhang, Tian, Cheng & Jin 2015).
[[nodiscard]] std::vector<std::int64_t> non_dominated_ranks(std::span<const Losses> points);

/// The same with constraint domination (Deb, Pratap, Agarwal & Meyarivan 2002, section VI):
/// feasible points come first, by rank; behind them the others, one rank for each violation.
[[nodiscard]] std::vector<std::int64_t> constrained_ranks(std::span<const Losses> points,
                                                          std::span<const double> violations);

/// Indices of the points of each rank, in the order of the points.
[[nodiscard]] std::vector<std::vector<std::size_t>> fronts_of(std::span<const std::int64_t> ranks);

}  // namespace quantsearch
