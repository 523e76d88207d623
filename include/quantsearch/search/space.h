#pragma once

// A search space as a lazy mixed-radix product: a point is a number, nothing is stored, 10^9 points
// cost nothing until they are walked.

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
  // That the choices came from: a FloatRange or IntRange.
  std::optional<SearchDimension> range = {};
  bool operator==(const Parameter&) const = default;
};

/// One product, or the union of several (several search spaces): numbered one after the other.
class Space {
 public:
  /// Throws InvalidInput for a parameter without a name, choices or range, a duplicate one,
  /// repeated choices, or a product above 2^62.
  explicit Space(std::vector<Parameter> parameters);
  [[nodiscard]] static Space union_of(std::vector<Space> spaces);

  /// Raw number of points, before filtering. A range of real numbers counts as its low end alone.
  [[nodiscard]] std::int64_t size() const;
  /// False when there is a range of real numbers; `unlisted()` names the first one.
  [[nodiscard]] bool is_finite() const { return !unlisted(); }
  [[nodiscard]] std::optional<std::string> unlisted() const;
  /// The first parameter varies slowest.
  [[nodiscard]] Point at(std::int64_t index) const;
  [[nodiscard]] const std::vector<std::vector<Parameter>>& products() const { return products_; }
  /// The product that holds a point.
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

/// What the domain says about a point: the same point without the settings that have no effect in
/// it, or why it cannot be. Pure: the same answer every time.
struct Rejected {
  std::string reason;  // short and countable: the same text for the same kind
};
using Normalize = std::function<std::variant<Point, Rejected>(const Point& point)>;

/// What a point is expected to cost. Points with equal first keys of their prefixes are kept
/// adjacent. A cost model is a pure function: samplers ask once for each point.
struct Expected {
  double seconds = 1;
  std::vector<Key> prefix = {};  // keys of the stages it goes through, earliest first
};
using CostModel = std::function<Expected(const Point& normalized)>;

/// The distinct valid points among the first `limit` raw ones, normalized, in their order.
[[nodiscard]] std::vector<Point> distinct_points(const Space& space, const Normalize& normalize,
                                                 std::int64_t limit);

}  // namespace quantsearch
