#pragma once

// The walk of summarize() and of the samplers whose space fits in memory. It shows points and
// forgets them, so that 200 000 of them cost their keys alone.

#include <functional>

#include "quantsearch/search/space.h"

namespace quantsearch {

/// What was met on a walk; `distinct` counts the points shown.
struct WalkCounts {
  std::int64_t raw = 0;
  std::int64_t distinct = 0;
  std::int64_t duplicates = 0;
  std::map<std::string, std::int64_t> filtered;
};

/// Shows each distinct valid point of the first `limit` raw points once, with its raw index.
WalkCounts visit_distinct(const Space& space, const Normalize& normalize, std::int64_t limit,
                          const std::function<void(std::int64_t index, Point&& point)>& visit);

}  // namespace quantsearch
