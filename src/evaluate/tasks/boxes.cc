#include "evaluate/tasks/boxes.h"

#include <algorithm>
#include <map>

namespace quantsearch {

double intersection(const Box& a, const Box& b) {
  const double width = std::min(a.x + a.width, b.x + b.width) - std::max(a.x, b.x);
  const double height = std::min(a.y + a.height, b.y + b.height) - std::max(a.y, b.y);
  return width <= 0 || height <= 0 ? 0 : width * height;
}

double overlap(const Box& a, const Box& b) {
  const double common = intersection(a, b);
  return common > 0 ? common / (a.area() + b.area() - common) : 0;
}

std::vector<Detection> suppress(std::vector<Detection> detections,
                                const SuppressionOptions& options) {
  std::ranges::stable_sort(detections, std::greater<>(), &Detection::score);
  detections.resize(std::min(detections.size(), options.candidates));
  std::vector<Detection> kept;
  std::map<std::int64_t, std::vector<Box>> kept_of;  // by category
  for (const Detection& detection : detections) {
    if (kept.size() == options.most) break;
    std::vector<Box>& better = kept_of[detection.category];
    const bool is_covered = std::ranges::any_of(
        better, [&](const Box& box) { return overlap(box, detection.box) > options.overlap; });
    if (is_covered) continue;
    better.push_back(detection.box);
    kept.push_back(detection);
  }
  return kept;
}

}  // namespace quantsearch
