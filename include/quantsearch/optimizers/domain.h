#pragma once

// What a model-based optimizer searches: dimensions with their kinds, and points as plain numbers.
// It knows nothing of names of options or of values: src/search/model_sampler.cc maps a Space to a
// Domain and back.

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace quantsearch {

/// Real numbers from `low` to `high`, both inclusive. `log`: searched in the logarithm (low > 0, no
/// step). `step`: only low + k * step.
struct FloatRange {
  double low = 0;
  double high = 1;
  bool log = false;
  std::optional<double> step = {};
  bool operator==(const FloatRange&) const = default;
};

/// Integers from `low` to `high`, both inclusive. `log`: searched in the logarithm (low >= 1, step
/// 1).
struct IntRange {
  std::int64_t low = 0;
  std::int64_t high = 1;
  std::int64_t step = 1;
  bool log = false;
  bool operator==(const IntRange&) const = default;
};

/// The numbers 0 ... count - 1. `ordered`: neighbours are expected to score alike (8, 16, 32 bits),
/// otherwise they are mere names.
struct Categories {
  std::int64_t count = 1;
  bool ordered = false;
  bool operator==(const Categories&) const = default;
};

using SearchDimension = std::variant<FloatRange, IntRange, Categories>;

/// One number per dimension: the value itself, for categories the index. NaN: the dimension has no
/// effect in this point.
using Coordinates = std::vector<double>;
inline constexpr double kInactive = std::numeric_limits<double>::quiet_NaN();
[[nodiscard]] inline bool is_active(double coordinate) { return coordinate == coordinate; }

struct Domain {
  std::vector<SearchDimension> dimensions;
  /// The same point with kInactive in every dimension that has no effect in it (two points that are
  /// the same trial become equal); nullopt when the combination cannot be. Pure. Absent: every
  /// point is possible and every dimension counts.
  std::function<std::optional<Coordinates>(const Coordinates& point)> canonical = {};
  /// All canonical points, each once, when the domain is small enough to have been walked.
  std::shared_ptr<const std::vector<Coordinates>> points = nullptr;
};

/// Throws InvalidInput for bounds out of order or not finite, a logarithm of a number that is not
/// positive, a step that is not positive or stands with a logarithm, or no categories.
void check(const Domain& domain);

}  // namespace quantsearch
