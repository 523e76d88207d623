#include "search/space_domain.h"

#include <fmt/core.h>

#include <algorithm>

#include "quantsearch/base/error.h"
#include "search/enumerate.h"

namespace quantsearch {

namespace {

bool holds(const std::vector<Value>& values, const Value& value) {
  return std::ranges::find(values, value) != values.end();
}

bool in_range(const SearchDimension& range, double value) {
  if (const auto* real = std::get_if<FloatRange>(&range))
    return real->low <= value && value <= real->high;
  const auto& whole = std::get<IntRange>(range);
  return static_cast<double>(whole.low) <= value && value <= static_cast<double>(whole.high);
}

double low_of(const SearchDimension& range) {
  if (const auto* real = std::get_if<FloatRange>(&range)) return real->low;
  return static_cast<double>(std::get<IntRange>(range).low);
}

bool admits(const Parameter& parameter, const Value& value) {
  if (!parameter.choices.empty()) return holds(parameter.choices, value);
  return value.is_number() && in_range(*parameter.range, value.as_double());
}

}  // namespace

SearchDimension SpaceDomain::Setting::dimension() const {
  if (range) return *range;
  return Categories{.count = static_cast<std::int64_t>(values.size()), .ordered = ordered};
}

Value SpaceDomain::Setting::value_at(double coordinate) const {
  if (!range) return values.at(static_cast<std::size_t>(coordinate));
  if (std::holds_alternative<IntRange>(*range)) return static_cast<std::int64_t>(coordinate);
  return coordinate;
}

double SpaceDomain::Setting::coordinate_of(const Value& value) const {
  if (range)
    return value.is_number() && in_range(*range, value.as_double()) ? value.as_double() : kInactive;
  const auto found = std::ranges::find(values, value);
  return found == values.end() ? kInactive : static_cast<double>(found - values.begin());
}

SpaceDomain::SpaceDomain(Space space, Normalize normalize, std::int64_t enumeration_limit)
    : space_(std::move(space)),
      normalize_(std::move(normalize)),
      several_(space_.products().size() > 1) {
  for (const auto& product : space_.products()) {
    for (const Parameter& parameter : product) add(parameter);
  }
  for (Setting& setting : settings_) put_in_order(setting);
  if (space_.is_finite() && space_.size() <= enumeration_limit) walk();
}

void SpaceDomain::add(const Parameter& parameter) {
  const auto [place, is_new] = places_.emplace(parameter.name, settings_.size());
  if (is_new) {
    settings_.push_back({.name = parameter.name,
                         .values = parameter.choices,
                         .range = parameter.range,
                         .ordered = false});
    return;
  }
  Setting& known = settings_[place->second];
  if (known.range != parameter.range) {
    throw InvalidInput(fmt::format(
        "search space: parameter '{}' has a range in one space and another or a list in the next; "
        "a model-based search needs the same in all",
        parameter.name));
  }
  for (const Value& value : parameter.choices) {
    if (!holds(known.values, value)) known.values.push_back(value);
  }
}

/// A list of two values is treated as categories, because an order of two values adds no
/// information.
void SpaceDomain::put_in_order(Setting& setting) const {
  if (setting.range) return;
  setting.ordered =
      setting.values.size() > 2 && std::ranges::all_of(setting.values, &Value::is_number);
  if (!setting.ordered) return;
  std::ranges::stable_sort(
      setting.values, [](const Value& a, const Value& b) { return a.as_double() < b.as_double(); });
}

Domain SpaceDomain::domain() const {
  Domain domain;
  if (several_)
    domain.dimensions.push_back(
        Categories{.count = static_cast<std::int64_t>(space_.products().size())});
  for (const Setting& setting : settings_) domain.dimensions.push_back(setting.dimension());
  domain.canonical = [this](const Coordinates& point) { return canonical(point); };
  domain.points = points_;
  return domain;
}

std::optional<Point> SpaceDomain::raw_point(const Coordinates& point) const {
  const std::size_t product = several_ ? static_cast<std::size_t>(point.front()) : 0;
  Point raw;
  for (const Parameter& parameter : space_.products()[product]) {
    const std::size_t place = places_.at(parameter.name);
    const Setting& setting = settings_[place];
    const double coordinate = point[place + (several_ ? 1 : 0)];
    Value value;
    if (is_active(coordinate)) {
      value = setting.value_at(coordinate);
    } else {  // it has no effect, so any of its values is valid
      value =
          parameter.choices.empty() ? Value(low_of(*parameter.range)) : parameter.choices.front();
    }
    if (!admits(parameter, value)) return std::nullopt;
    raw.emplace(parameter.name, std::move(value));
  }
  return raw;
}

std::optional<Coordinates> SpaceDomain::canonical(const Coordinates& point) const {
  const std::optional<Point> raw = raw_point(point);
  if (!raw) return std::nullopt;
  const std::variant<Point, Rejected> normalized = normalize_(*raw);
  if (std::holds_alternative<Rejected>(normalized)) return std::nullopt;
  return coordinates_of(std::get<Point>(normalized));
}

Point SpaceDomain::point_of(const Coordinates& canonical) const {
  return std::get<Point>(normalize_(raw_point(canonical).value()));
}

/// Several products may contain the same point; the first of them is returned.
double SpaceDomain::product_of(const Point& normalized) const {
  const auto& products = space_.products();
  for (std::size_t product = 0; product < products.size(); ++product) {
    Point raw;
    for (const Parameter& parameter : products[product]) {
      const auto own = normalized.find(parameter.name);
      if (own != normalized.end() && !admits(parameter, own->second)) break;
      if (own != normalized.end()) {
        raw.insert(*own);
      } else {
        raw.emplace(parameter.name, parameter.choices.empty() ? Value(low_of(*parameter.range))
                                                              : parameter.choices.front());
      }
    }
    if (raw.size() < products[product].size()) continue;
    const std::variant<Point, Rejected> again = normalize_(raw);
    if (std::holds_alternative<Point>(again) && std::get<Point>(again) == normalized)
      return static_cast<double>(product);
  }
  return 0;
}

Coordinates SpaceDomain::coordinates_of(const Point& normalized) const {
  Coordinates coordinates;
  if (several_) coordinates.push_back(product_of(normalized));
  for (const Setting& setting : settings_) {
    const auto found = normalized.find(setting.name);
    coordinates.push_back(found == normalized.end() ? kInactive
                                                    : setting.coordinate_of(found->second));
  }
  return coordinates;
}

void SpaceDomain::walk() {
  std::vector<Coordinates> points;
  visit_distinct(space_, normalize_, space_.size(),
                 [&](std::int64_t, Point&& point) { points.push_back(coordinates_of(point)); });
  points_ = std::make_shared<const std::vector<Coordinates>>(std::move(points));
}

}  // namespace quantsearch
