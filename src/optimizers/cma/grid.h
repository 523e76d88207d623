#pragma once

// A stepped dimension on its unit axis (axis.h): the positions of its values and of the borders
// between them.

#include "optimizers/axis.h"

namespace quantsearch {

class CmaGrid {
 public:
  /// `axis` has at least two ordered values.
  explicit CmaGrid(const Axis& axis) : axis_(axis) {}

  [[nodiscard]] std::int64_t count() const { return axis_.count(); }
  /// Index of the value whose cell contains a position; beyond the ends that of the end value.
  [[nodiscard]] std::int64_t cell(double position) const;
  [[nodiscard]] double value(std::int64_t index) const;
  /// Position of the border between the values index - 1 and index, 1 <= index < count.
  [[nodiscard]] double border(std::int64_t index) const;
  /// Position of the value whose cell contains a position.
  [[nodiscard]] double nearest(double position) const { return value(cell(position)); }

 private:
  Axis axis_;
};

}  // namespace quantsearch
