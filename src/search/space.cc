#include "quantsearch/search/space.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <set>

#include "quantsearch/base/error.h"

namespace quantsearch {

namespace {

constexpr std::int64_t kLargestSpace = std::int64_t{1} << 62;

/// Adds a value to a key. The key follows the equality of Value: 1 and 1.0 are equal, and the order
/// of a mapping's entries does not matter.
void add_value(KeyBuilder& key, const Value& value) {
  if (value.is_double()) {
    const double number = value.as_double();
    const bool whole = std::nearbyint(number) == number && std::abs(number) < 0x1.0p62;
    key.add("number");
    whole ? key.add(static_cast<std::int64_t>(number)) : key.add(number);
  } else if (value.is_int()) {
    key.add("number").add(value.as_int());
  } else if (value.is_bool()) {
    key.add("boolean").add(value.as_bool());
  } else if (value.is_string()) {
    key.add("string").add(value.as_string());
  } else if (value.is_list()) {
    key.add("list").add(static_cast<std::int64_t>(value.as_list().size()));
    for (const Value& item : value.as_list()) add_value(key, item);
  } else if (value.is_map()) {
    Value::Map entries = value.as_map();
    std::ranges::sort(entries, {}, &Value::Map::value_type::first);
    key.add("mapping").add(static_cast<std::int64_t>(entries.size()));
    for (const auto& [name, item] : entries) add_value(key.add(name), item);
  } else {
    key.add("nothing");
  }
}

/// Lists of more values than this are shown by their first values and their length.
constexpr std::size_t kMostShown = 4;

/// Returns the text of a value. A string is quoted only when it is empty or contains a separator or
/// a quotation mark.
std::string shown(const Value& value) {
  if (value.is_list() && value.as_list().size() > kMostShown) {
    const auto& all = value.as_list();
    Value::List first(all.begin(), all.begin() + kMostShown);
    first.emplace_back(fmt::format("... {} in all", all.size()));
    return to_json(first);
  }
  if (!value.is_string()) return to_json(value);
  const std::string& text = value.as_string();
  const bool plain = !text.empty() && text.find_first_of(" =\"\n\t") == std::string::npos;
  return plain ? text : to_json(value);
}

bool is_unlisted(const Parameter& parameter) {
  return parameter.choices.empty() && parameter.range &&
         std::holds_alternative<FloatRange>(*parameter.range);
}

void check_parameter(const Parameter& parameter, std::set<std::string>& names) {
  if (parameter.name.empty()) {
    throw InvalidInput("search space: a parameter has no name, expected one");
  }
  if (!names.insert(parameter.name).second) {
    throw InvalidInput(
        fmt::format("search space: parameter '{}' appears twice, expected once", parameter.name));
  }
  if (parameter.choices.empty() && !is_unlisted(parameter)) {
    throw InvalidInput(fmt::format(
        "search space: parameter '{}' has no choices, expected at least one", parameter.name));
  }
  std::set<Key> seen;
  for (const Value& choice : parameter.choices) {
    KeyBuilder key;
    add_value(key, choice);
    if (seen.insert(key.finish()).second) continue;
    throw InvalidInput(
        fmt::format("search space: parameter '{}' lists the choice {} twice, expected once",
                    parameter.name, shown(choice)));
  }
}

/// Returns the number of points of a product; throws InvalidInput above 2^62.
std::int64_t size_of(const std::vector<Parameter>& product) {
  std::int64_t size = 1;
  for (const Parameter& parameter : product) {
    const auto choices =
        std::max<std::int64_t>(1, static_cast<std::int64_t>(parameter.choices.size()));
    if (size > kLargestSpace / choices) {
      throw InvalidInput(
          fmt::format("search space: the product of {} parameters passes 2^62 points at '{}'; "
                      "leave out parameters or choices",
                      product.size(), parameter.name));
    }
    size *= choices;
  }
  return size;
}

}  // namespace

std::string to_string(const Point& point) {
  std::string text;
  for (const auto& [name, value] : point) {
    if (!text.empty()) text += ' ';
    text += name + '=' + shown(value);
  }
  return text;
}

Key key_of(const Point& point) {
  KeyBuilder key;
  for (const auto& [name, value] : point) add_value(key.add(name), value);
  return key.finish();
}

Space::Space(std::vector<Parameter> parameters) {
  std::set<std::string> names;
  for (const Parameter& parameter : parameters) check_parameter(parameter, names);
  size_ = size_of(parameters);
  sizes_.push_back(size_);
  products_.push_back(std::move(parameters));
}

Space Space::union_of(std::vector<Space> spaces) {
  if (spaces.empty()) {
    throw InvalidInput("search space: the union of no spaces is empty, expected at least one");
  }
  Space joined;
  for (Space& space : spaces) {
    if (joined.size_ > kLargestSpace - space.size_) {
      throw InvalidInput(
          fmt::format("search space: the union of {} spaces passes 2^62 points; leave out "
                      "parameters or choices",
                      spaces.size()));
    }
    joined.size_ += space.size_;
    std::ranges::copy(space.sizes_, std::back_inserter(joined.sizes_));
    std::ranges::move(space.products_, std::back_inserter(joined.products_));
  }
  return joined;
}

std::int64_t Space::size() const { return size_; }

std::optional<std::string> Space::unlisted() const {
  for (const auto& product : products_) {
    const auto found = std::ranges::find_if(product, is_unlisted);
    if (found != product.end()) return found->name;
  }
  return std::nullopt;
}

Space::Place Space::place_of(std::int64_t index) const {
  if (index < 0 || index >= size_) {
    throw InvalidInput(
        fmt::format("search space: got point {}, expected one of 0 to {}", index, size_ - 1));
  }
  Place place{.product = 0, .index = index};
  while (place.index >= sizes_[place.product]) place.index -= sizes_[place.product++];
  return place;
}

const std::vector<Parameter>& Space::product_of(std::int64_t index) const {
  return products_[place_of(index).product];
}

Point Space::at(std::int64_t index) const {
  const Place place = place_of(index);
  const std::vector<Parameter>& product = products_[place.product];
  std::int64_t rest = place.index;
  Point point;
  for (auto parameter = product.rbegin(); parameter != product.rend(); ++parameter) {
    if (parameter->choices.empty()) {
      point.emplace(parameter->name, std::get<FloatRange>(*parameter->range).low);
      continue;
    }
    const auto choices = static_cast<std::int64_t>(parameter->choices.size());
    point.emplace(parameter->name, parameter->choices[static_cast<std::size_t>(rest % choices)]);
    rest /= choices;
  }
  return point;
}

}  // namespace quantsearch
