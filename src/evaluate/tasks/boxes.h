#pragma once

// Boxes in images, and non-maximum suppression.

#include <cstdint>
#include <vector>

namespace quantsearch {

/// In pixels: the upper left corner, width and height.
struct Box {
  double x = 0;
  double y = 0;
  double width = 0;
  double height = 0;

  [[nodiscard]] double area() const { return width * height; }
  bool operator==(const Box&) const = default;
};

[[nodiscard]] inline Box from_corners(double x1, double y1, double x2, double y2) {
  return {.x = x1, .y = y1, .width = x2 - x1, .height = y2 - y1};
}
[[nodiscard]] inline Box from_center(double x, double y, double width, double height) {
  return {.x = x - width / 2, .y = y - height / 2, .width = width, .height = height};
}

/// The area of the intersection; 0 for boxes that only touch.
[[nodiscard]] double intersection(const Box& a, const Box& b);
/// Intersection over union; 0 when both are empty.
[[nodiscard]] double overlap(const Box& a, const Box& b);

struct Detection {
  Box box;
  double score = 0;
  std::int64_t category = 0;  // a class index, or the id of a category in annotations
};

struct SuppressionOptions {
  double overlap = 0.65;   // a box that overlaps a better one of its class by more is dropped
  std::size_t most = 300;  // detections that are kept
  std::size_t candidates = 30000;  // detections that are looked at, the best ones
};
/// Keeps the best detections of each class that do not overlap a better one, best first; of equal
/// scores the earlier one is better.
[[nodiscard]] std::vector<Detection> suppress(std::vector<Detection> detections,
                                              const SuppressionOptions& options);

}  // namespace quantsearch
