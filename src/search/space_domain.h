#pragma once

// Converts points of a Space to coordinates of a Domain and back.

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "quantsearch/optimizers/domain.h"
#include "quantsearch/search/space.h"

namespace quantsearch {

class SpaceDomain {
 public:
  /// Enumerates the space when it has at most `enumeration_limit` raw points and no ranges of real
  /// numbers.
  SpaceDomain(Space space, Normalize normalize, std::int64_t enumeration_limit);

  /// The functions of the returned domain refer to this object, which must outlive it.
  [[nodiscard]] Domain domain() const;
  /// The normalized point at canonical coordinates.
  [[nodiscard]] Point point_of(const Coordinates& canonical) const;
  /// Returns the coordinates of a normalized point, which need not come from this space: a setting
  /// that is not in the space is left out, and a setting whose value is not listed is inactive.
  [[nodiscard]] Coordinates coordinates_of(const Point& normalized) const;

 private:
  /// A parameter name with all of its values over the products, or with its range.
  struct Setting {
    std::string name;
    std::vector<Value> values;
    std::optional<SearchDimension> range;
    bool ordered = false;
    [[nodiscard]] SearchDimension dimension() const;
    [[nodiscard]] Value value_at(double coordinate) const;
    [[nodiscard]] double coordinate_of(const Value& value) const;
  };

  void add(const Parameter& parameter);
  void put_in_order(Setting& setting) const;
  [[nodiscard]] std::optional<Coordinates> canonical(const Coordinates& point) const;
  /// Returns nullopt when a value does not belong to the product.
  [[nodiscard]] std::optional<Point> raw_point(const Coordinates& point) const;
  [[nodiscard]] double product_of(const Point& normalized) const;
  void walk();

  Space space_;
  Normalize normalize_;
  bool several_ = false;  // there are several products, and the first dimension selects one
  std::vector<Setting> settings_;
  std::map<std::string, std::size_t> places_;  // name -> index in settings_
  std::shared_ptr<const std::vector<Coordinates>> points_;
};

}  // namespace quantsearch
