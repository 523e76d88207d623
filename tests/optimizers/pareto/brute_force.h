#pragma once

// Slow, obvious versions of the functions of src/optimizers/pareto, and random points to compare
// them on.

#include <algorithm>
#include <cstdint>
#include <vector>

#include "quantsearch/base/random.h"
#include "quantsearch/optimizers/non_dominated.h"

namespace quantsearch {

/// Draws points on a grid of `levels` values per objective, so that ties and equal points are
/// common; with 0 levels they are real numbers.
inline std::vector<Losses> random_points(RandomStream& random, std::size_t count,
                                         std::size_t objectives, std::uint64_t levels) {
  std::vector<Losses> points(count, Losses(objectives));
  for (Losses& point : points)
    for (double& loss : point)
      loss = levels == 0 ? random.uniform() : static_cast<double>(random.below(levels));
  return points;
}

/// Inclusion-exclusion over all subsets, feasible for at most about 16 points.
inline double volume_by_subsets(const std::vector<Losses>& points, const Losses& reference) {
  double volume = 0;
  for (std::uint32_t subset = 1; subset < (1U << points.size()); ++subset) {
    double common = 1;
    int members = 0;
    for (std::size_t objective = 0; objective < reference.size(); ++objective) {
      double worst = -1e300;
      for (std::size_t i = 0; i < points.size(); ++i)
        if ((subset >> i & 1U) != 0) worst = std::max(worst, points[i][objective]);
      common *= std::max(reference[objective] - worst, 0.0);
    }
    for (std::size_t i = 0; i < points.size(); ++i) members += static_cast<int>(subset >> i & 1U);
    volume += members % 2 == 1 ? common : -common;
  }
  return volume;
}

/// Removes one front after the other.
inline std::vector<std::int64_t> ranks_by_peeling(const std::vector<Losses>& points) {
  std::vector<std::int64_t> ranks(points.size(), -1);
  std::size_t left = points.size();
  for (std::int64_t rank = 0; left > 0; ++rank) {
    std::vector<std::size_t> front;
    for (std::size_t i = 0; i < points.size(); ++i) {
      bool beaten = ranks[i] >= 0;
      for (std::size_t j = 0; j < points.size() && !beaten; ++j)
        beaten = ranks[j] < 0 && dominates(points[j], points[i]);
      if (!beaten) front.push_back(i);
    }
    for (const std::size_t i : front) ranks[i] = rank;
    left -= front.size();
  }
  return ranks;
}

inline std::vector<Losses> first_front_of(const std::vector<Losses>& points) {
  const auto ranks = ranks_by_peeling(points);
  std::vector<Losses> front;
  for (std::size_t i = 0; i < points.size(); ++i)
    if (ranks[i] == 0) front.push_back(points[i]);
  return front;
}

}  // namespace quantsearch
