#pragma once

// A search space as a lazy mixed-radix product. A point is an index and is computed on demand, so
// that a space of 10^9 points takes no memory.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "quantsearch/base/hash.h"
#include "quantsearch/base/value.h"
#include "quantsearch/optimizers/domain.h"

namespace quantsearch {

/// Parameter name -> chosen value. Names are flat ("extra_options.Percentile").
using Point = std::map<std::string, Value>;

/// "activation_type=QInt8 include_cle=false".
[[nodiscard]] std::string to_string(const Point& point);
[[nodiscard]] Key key_of(const Point& point);

struct Parameter {
  std::string name;
  // No two equal; empty only for a range of real numbers without a step.
  std::vector<Value> choices;
  // The FloatRange or IntRange that the choices were made from.
  std::optional<SearchDimension> range = {};
  bool operator==(const Parameter&) const = default;
};

/// One product, or the union of several products (several search spaces), whose points are numbered
/// consecutively.
class Space {
 public:
  /// Throws InvalidInput for a parameter without a name or without both choices and a range, for
  /// duplicate names or choices, and for a product of more than 2^62 points.
  explicit Space(std::vector<Parameter> parameters);
  [[nodiscard]] static Space union_of(std::vector<Space> spaces);

  /// Number of raw points, before filtering. A range of real numbers counts as one choice, its
  /// lower end.
  [[nodiscard]] std::int64_t size() const;
  /// False when there is a range of real numbers; unlisted() returns the name of the first one.
  [[nodiscard]] bool is_finite() const { return !unlisted(); }
  [[nodiscard]] std::optional<std::string> unlisted() const;
  /// The first parameter varies slowest.
  [[nodiscard]] Point at(std::int64_t index) const;
  [[nodiscard]] const std::vector<std::vector<Parameter>>& products() const { return products_; }
  /// The product that contains the point with this index.
  [[nodiscard]] const std::vector<Parameter>& product_of(std::int64_t index) const;

 private:
  Space() = default;
  struct Place {
    std::size_t product = 0;
    std::int64_t index = 0;  // within the product
  };
  [[nodiscard]] Place place_of(std::int64_t index) const;

  std::vector<std::vector<Parameter>> products_;
  std::vector<std::int64_t> sizes_;  // of the products
  std::int64_t size_ = 0;
};

/// Why a point is invalid. Normalize returns either this or the same point without the settings
/// that have no effect in it. It is a pure function.
struct Rejected {
  // Short, and equal for equal causes, so that rejected points can be counted by reason.
  std::string reason;
};
using Normalize = std::function<std::variant<Point, Rejected>(const Point& point)>;

/// The expected cost of a point. Points whose prefixes begin with equal keys are kept adjacent. A
/// cost model is a pure function, and samplers call it once for each point.
struct Expected {
  double seconds = 1;
  std::vector<Key> prefix = {};  // keys of the stages that the point passes through, earliest first
};
using CostModel = std::function<Expected(const Point& normalized)>;

/// Returns the distinct valid points among the first `limit` raw points, normalized, in their
/// order.
[[nodiscard]] std::vector<Point> distinct_points(const Space& space, const Normalize& normalize,
                                                 std::int64_t limit);

}  // namespace quantsearch
