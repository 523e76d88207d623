#pragma once

// The domain of a model-based optimizer: dimensions with their kinds, and points as plain numbers.
// It does not contain the names of options or their values: src/search/space_domain.h maps a Space
// to a Domain and back.

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace quantsearch {

/// Real numbers from `low` to `high`, both inclusive. `log`: searched on a logarithmic scale (low >
/// 0, no step). `step`: only the values low + k * step.
struct FloatRange {
  double low = 0;
  double high = 1;
  bool log = false;
  std::optional<double> step = {};
  bool operator==(const FloatRange&) const = default;
};

/// Integers from `low` to `high`, both inclusive. `log`: searched on a logarithmic scale (low >= 1,
/// step 1).
struct IntRange {
  std::int64_t low = 0;
  std::int64_t high = 1;
  std::int64_t step = 1;
  bool log = false;
  bool operator==(const IntRange&) const = default;
};

/// The numbers 0 ... count - 1. `ordered`: neighbours are expected to have similar scores (8, 16,
/// 32 bits); otherwise the numbers have no order.
struct Categories {
  std::int64_t count = 1;
  bool ordered = false;
  bool operator==(const Categories&) const = default;
};

using SearchDimension = std::variant<FloatRange, IntRange, Categories>;

/// One number per dimension: the value itself, or the index of a category. NaN means that the
/// dimension has no effect in this point.
using Coordinates = std::vector<double>;
inline constexpr double kInactive = std::numeric_limits<double>::quiet_NaN();
[[nodiscard]] inline bool is_active(double coordinate) { return coordinate == coordinate; }

struct Domain {
  std::vector<SearchDimension> dimensions;
  /// Returns the same point with kInactive in every dimension that has no effect in it, so that two
  /// points that mean the same trial become equal; nullopt when the combination is invalid. It is a
  /// pure function. Absent: every point is valid and every dimension has an effect.
  std::function<std::optional<Coordinates>(const Coordinates& point)> canonical = {};
  /// All canonical points, each once, when the domain is small enough to be enumerated; otherwise
  /// null.
  std::shared_ptr<const std::vector<Coordinates>> points = nullptr;
};

/// Throws InvalidInput for a domain without dimensions, for bounds that are out of order or not
/// finite, for a logarithmic range that begins at or below zero, for a step that is not positive or
/// is combined with a logarithmic range, and for no categories.
void check(const Domain& domain);

}  // namespace quantsearch
