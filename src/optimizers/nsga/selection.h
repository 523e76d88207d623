#pragma once

// Which members of a population stay, and which of two is the better parent.

#include <cstdint>
#include <vector>

#include "quantsearch/base/random.h"
#include "quantsearch/optimizers/domain.h"
#include "quantsearch/optimizers/non_dominated.h"

namespace quantsearch {

struct NsgaMember {
  Coordinates at;
  Losses losses;
  double violation = 0;  // 0 is feasible
  // Of the whole population; selection sets both.
  std::int64_t rank = 0;
  double crowding = 0;  // always 0 with niches
};

/// Whole fronts while they fit into `count`, then the least crowded of the next (Deb, Pratap,
/// Agarwal & Meyarivan 2002, section III-C); ties to the earlier member. The order of members is
/// kept.
[[nodiscard]] std::vector<NsgaMember> select_uncrowded(std::vector<NsgaMember> members,
                                                       std::size_t count);

/// The same, the next front filled by niches (niches.h).
[[nodiscard]] std::vector<NsgaMember> select_by_niche(std::vector<NsgaMember> members,
                                                      std::size_t count,
                                                      std::span<const Losses> directions,
                                                      RandomStream& random);

/// Lower rank, then less crowded, else the first.
[[nodiscard]] const NsgaMember& better_parent(const NsgaMember& one, const NsgaMember& other);

}  // namespace quantsearch
