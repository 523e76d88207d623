#pragma once

// Points of a Space as coordinates of a Domain, and back.

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
  /// Walks the space when it has at most `enumeration_limit` raw points and no real ranges.
  SpaceDomain(Space space, Normalize normalize, std::int64_t enumeration_limit);

  /// Its functions refer to this, which must outlive it.
  [[nodiscard]] Domain domain() const;
  /// The normalized point at canonical coordinates.
  [[nodiscard]] Point point_of(const Coordinates& canonical) const;
  /// Coordinates of a normalized point, whoever made it; a setting this space does not know is left
  /// out, and one whose value it does not list is inactive.
  [[nodiscard]] Coordinates coordinates_of(const Point& normalized) const;

 private:
  /// One name: all of its values over the products, or one range.
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
  /// nullopt when a value is not among the product's own.
  [[nodiscard]] std::optional<Point> raw_point(const Coordinates& point) const;
  [[nodiscard]] double product_of(const Point& normalized) const;
  void walk();

  Space space_;
  Normalize normalize_;
  bool several_ = false;  // products: the first dimension says which
  std::vector<Setting> settings_;
  std::map<std::string, std::size_t> places_;  // name -> index in settings_
  std::shared_ptr<const std::vector<Coordinates>> points_;
};

}  // namespace quantsearch
