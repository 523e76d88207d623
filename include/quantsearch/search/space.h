#pragma once

// A search space as a lazy mixed-radix product: a point is a number, nothing is stored, 10^9 points cost nothing until
// they are walked.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "quantsearch/base/hash.h"
#include "quantsearch/base/value.h"
#include "quantsearch/search/domain.h"

namespace quantsearch {

/// Parameter name -> chosen value. Names are flat ("extra_options.Percentile").
using Point = std::map<std::string, Value>;

/// "activation_type=QInt8 include_cle=false".
[[nodiscard]] std::string to_string(const Point& point);
[[nodiscard]] Key key_of(const Point& point);

struct Parameter {
  std::string name;
  std::vector<Value> choices;  // no two equal; empty only for a range of real numbers without a step
  std::optional<SearchDimension> range = {};  // that the choices came from: a FloatRange or IntRange
  bool operator==(const Parameter&) const = default;
};

/// One product, or the union of several (several search spaces): numbered one after the other.
class Space {
 public:
  /// Throws InvalidInput for a parameter without a name, choices or range, a duplicate one, repeated choices, or a product
  /// above 2^62.
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

/// What the domain says about a point: the same point without the settings that have no effect in it, or why it cannot be.
/// Pure: the same answer every time.
struct Rejected {
  std::string reason;  // short and countable: the same text for the same kind
};
using Normalize = std::function<std::variant<Point, Rejected>(const Point& point)>;

/// What the domain expects a point to cost. Points with equal first keys of their prefixes are kept adjacent. A cost model
/// may answer differently as trials finish: grids ask once at the start, random draws each time.
struct Expected {
  double seconds = 1;
  std::vector<Key> prefix = {};  // keys of the stages it goes through, earliest first
};
using CostModel = std::function<Expected(const Point& normalized)>;

/// The distinct valid points of a space, in the order they should be tried.
struct Enumeration {
  std::int64_t raw = 0;                               // walked: valid distinct + filtered + duplicates
  std::vector<Point> points;                          // normalized, distinct
  std::map<std::string, std::int64_t> filtered;       // reason -> raw points
  std::int64_t duplicates = 0;                        // raw points equal to an earlier one once normalized
  bool complete = true;                               // false: the walk stopped at `limit` raw points
};
/// Walks at most `limit` raw points.
[[nodiscard]] Enumeration enumerate(const Space& space, const Normalize& normalize, std::int64_t limit);

/// Cheap first, shared prefixes together: groups of points with a common first prefix key are ordered by their cheapest
/// member, recursively along the prefix; ties keep their order.
[[nodiscard]] std::vector<Point> order_by_cost(std::vector<Point> points, const CostModel& cost);

}  // namespace quantsearch
