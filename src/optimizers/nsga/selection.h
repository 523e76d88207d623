#pragma once

// Selects the members of a population that survive, and the better of two parents.

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
  // Both refer to the whole population and are set by selection.
  std::int64_t rank = 0;
  double crowding = 0;  // always 0 when selecting by niches
};

/// Keeps whole fronts while they fit into `count`, then the least crowded members of the next front
/// (Deb, Pratap, Agarwal & Meyarivan 2002, section III-C); ties go to the earlier member. The order
/// of the members is preserved.
[[nodiscard]] std::vector<NsgaMember> select_uncrowded(std::vector<NsgaMember> members,
                                                       std::size_t count);

/// The same, but the members of the next front are selected by niches (niches.h).
[[nodiscard]] std::vector<NsgaMember> select_by_niche(std::vector<NsgaMember> members,
                                                      std::size_t count,
                                                      std::span<const Losses> directions,
                                                      RandomStream& random);

/// Returns the parent with the lower rank, then the less crowded one, otherwise the first.
[[nodiscard]] const NsgaMember& better_parent(const NsgaMember& one, const NsgaMember& other);

}  // namespace quantsearch
