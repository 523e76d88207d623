#pragma once

// The enumeration of summarize() and of the samplers of spaces that fit in memory. Points are
// visited and not stored, so that 200 000 of them take only the memory of their keys.

#include <functional>

#include "quantsearch/search/space.h"

namespace quantsearch {

/// Counts of an enumeration; `distinct` counts the points visited.
struct WalkCounts {
  std::int64_t raw = 0;
  std::int64_t distinct = 0;
  std::int64_t duplicates = 0;
  std::map<std::string, std::int64_t> filtered;
};

/// Calls `visit` once for each distinct valid point among the first `limit` raw points, with its
/// raw index.
WalkCounts visit_distinct(const Space& space, const Normalize& normalize, std::int64_t limit,
                          const std::function<void(std::int64_t index, Point&& point)>& visit);

}  // namespace quantsearch
