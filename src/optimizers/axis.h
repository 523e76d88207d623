#pragma once

// Represents one dimension as an interval of real numbers on which it is searched. Logarithms are
// taken, and a grid is extended by half a step on both sides, so that a uniform draw gives every
// grid value the same share.

#include "quantsearch/base/random.h"
#include "quantsearch/optimizers/domain.h"

namespace quantsearch {

class Axis {
 public:
  explicit Axis(const SearchDimension& dimension);

  /// Converts a value to its position in [low(), high()] and back; coordinate() rounds to the grid
  /// and clips to the bounds.
  [[nodiscard]] double position(double coordinate) const;
  [[nodiscard]] double coordinate(double position) const;
  [[nodiscard]] double low() const { return low_; }
  [[nodiscard]] double high() const { return high_; }
  [[nodiscard]] double width() const { return high_ - low_; }
  /// The same with the interval mapped to [0, 1]. A single value is at 0.5.
  [[nodiscard]] double to_unit(double coordinate) const;
  [[nodiscard]] double from_unit(double unit) const;

  /// Distance between neighbouring grid values before the logarithm is taken; 0 for real numbers.
  [[nodiscard]] double step() const { return step_; }
  [[nodiscard]] bool is_log() const { return log_; }
  /// True for categories without an order.
  [[nodiscard]] bool is_categorical() const { return categorical_; }
  /// True when there is only one value.
  [[nodiscard]] bool is_single() const { return first_ == last_; }
  /// Number of values of a grid; 0 for real numbers.
  [[nodiscard]] std::int64_t count() const { return count_; }
  /// Bounds of the coordinate, both inclusive and on the grid.
  [[nodiscard]] double first() const { return first_; }
  [[nodiscard]] double last() const { return last_; }

 private:
  void set_up(const FloatRange& range);
  void set_up(const IntRange& range);
  void set_up(const Categories& categories);
  void widen();

  double first_ = 0;
  double last_ = 0;
  double step_ = 0;
  bool log_ = false;
  bool categorical_ = false;
  std::int64_t count_ = 0;
  double low_ = 0;
  double high_ = 0;
};

[[nodiscard]] std::vector<Axis> axes_of(const Domain& domain);

/// Draws a point whose positions are uniform on every axis.
[[nodiscard]] Coordinates random_coordinates(const std::vector<Axis>& axes, RandomStream& random);

}  // namespace quantsearch
