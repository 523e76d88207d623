#pragma once

// The selection of NSGA-III among the points of a front (Deb & Jain 2014, algorithms 2-4):
// reference directions are spread over the objectives, and directions with few survivors are filled
// first.

#include <span>
#include <vector>

#include "quantsearch/base/random.h"
#include "quantsearch/optimizers/non_dominated.h"

namespace quantsearch {

/// Returns evenly spaced directions whose coordinates sum to 1 (Das & Dennis 1998): the finest
/// layer of at most `limit` directions, but always the corners. Where that layer has no interior
/// direction (fewer parts than objectives), a second one, half as wide, is added inside it if the
/// limit allows.
[[nodiscard]] std::vector<Losses> reference_directions(std::size_t objectives, std::size_t limit);

/// Returns the points shifted so that the best value of each objective is 0, and divided by the
/// intercepts of the plane through the extreme points, or by the largest value where there is no
/// such plane.
[[nodiscard]] std::vector<Losses> normalised(std::span<const Losses> points);

struct Association {
  std::size_t direction = 0;
  double distance = 0;  // perpendicular distance from the line
};
[[nodiscard]] Association nearest_direction(const Losses& normalised,
                                            std::span<const Losses> directions);

/// Returns the indices of the `count` points that are selected among those from `settled` on. The
/// first `settled` points all stay.
[[nodiscard]] std::vector<std::size_t> fill_niches(std::span<const Losses> points,
                                                   std::size_t settled, std::size_t count,
                                                   std::span<const Losses> directions,
                                                   RandomStream& random);

}  // namespace quantsearch
