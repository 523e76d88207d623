#pragma once

// NSGA-III's choice among the points of a front (Deb & Jain 2014, algorithms 2-4): directions are
// spread over the objectives, and those that few survivors lie along are filled first.

#include <span>
#include <vector>

#include "quantsearch/base/random.h"
#include "quantsearch/optimizers/non_dominated.h"

namespace quantsearch {

/// Directions of nearly equal distances whose coordinates sum to 1 (Das & Dennis 1998): the finest
/// layer of at most `limit`, but always the corners. Where that layer has none inside (fewer parts
/// than objectives), a second one, half as wide, is put into it if the limit allows.
[[nodiscard]] std::vector<Losses> reference_directions(std::size_t objectives, std::size_t limit);

/// Points moved so that the best of each objective is 0 and divided by the intercepts of the plane
/// through the extreme points; by the largest value where there is no such plane.
[[nodiscard]] std::vector<Losses> normalised(std::span<const Losses> points);

struct Association {
  std::size_t direction = 0;
  double distance = 0;  // from the line
};
[[nodiscard]] Association nearest_direction(const Losses& normalised,
                                            std::span<const Losses> directions);

/// Which `count` of the points from `settled` on join the first `settled` ones, which all stay.
/// Indices of points.
[[nodiscard]] std::vector<std::size_t> fill_niches(std::span<const Losses> points,
                                                   std::size_t settled, std::size_t count,
                                                   std::span<const Losses> directions,
                                                   RandomStream& random);

}  // namespace quantsearch
