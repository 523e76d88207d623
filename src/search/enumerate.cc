#include "search/enumerate.h"

#include <algorithm>
#include <unordered_set>

#include "quantsearch/search/study.h"

namespace quantsearch {

WalkCounts visit_distinct(const Space& space, const Normalize& normalize, std::int64_t limit,
                          const std::function<void(std::int64_t index, Point&& point)>& visit) {
  WalkCounts counts;
  counts.raw = std::clamp(limit, std::int64_t{0}, space.size());
  std::unordered_set<Key> seen;
  for (std::int64_t index = 0; index < counts.raw; ++index) {
    std::variant<Point, Rejected> outcome = normalize(space.at(index));
    if (const Rejected* rejected = std::get_if<Rejected>(&outcome)) {
      ++counts.filtered[rejected->reason];
      continue;
    }
    Point& point = std::get<Point>(outcome);
    if (seen.insert(key_of(point)).second) {
      ++counts.distinct;
      visit(index, std::move(point));
    } else {
      ++counts.duplicates;
    }
  }
  return counts;
}

std::vector<Point> distinct_points(const Space& space, const Normalize& normalize,
                                   std::int64_t limit) {
  std::vector<Point> points;
  visit_distinct(space, normalize, limit, [&points](std::int64_t /*index*/, Point&& point) {
    points.push_back(std::move(point));
  });
  return points;
}

SpaceSummary summarize(const Space& space, const Normalize& normalize, std::int64_t limit) {
  WalkCounts counts =
      visit_distinct(space, normalize, limit, [](std::int64_t /*index*/, Point&& /*point*/) {});
  return {.raw = space.size(),
          .distinct = counts.distinct,
          .filtered = std::move(counts.filtered),
          .complete = counts.raw == space.size() && space.is_finite()};
}

}  // namespace quantsearch
