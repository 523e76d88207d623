#pragma once

// A stepped dimension on its unit axis (axis.h): where its values and the borders between them are.

#include "optimizers/axis.h"

namespace quantsearch {

class CmaGrid {
 public:
  /// At least two values, in an order.
  explicit CmaGrid(const Axis& axis) : axis_(axis) {}

  [[nodiscard]] std::int64_t count() const { return axis_.count(); }
  /// The value whose cell holds a position; beyond the ends the end values.
  [[nodiscard]] std::int64_t cell(double position) const;
  [[nodiscard]] double value(std::int64_t index) const;
  /// Between the values index - 1 and index, 1 <= index < count.
  [[nodiscard]] double border(std::int64_t index) const;
  /// The place of the value in whose cell a position is.
  [[nodiscard]] double nearest(double position) const { return value(cell(position)); }

 private:
  Axis axis_;
};

}  // namespace quantsearch
