#include "quantsearch/base/value.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "quantsearch/base/error.h"

namespace quantsearch {

namespace {

InvalidInput wrong_kind(const Value& value, const char* wanted) {
  const bool has_text = !value.is_list() && !value.is_map() && !value.is_null();
  const std::string shown = has_text ? fmt::format(" {}", to_json(value)) : "";
  return InvalidInput(fmt::format("got {}{}, expected {}", value.kind(), shown, wanted));
}

bool is_whole(double number) {
  return std::nearbyint(number) == number && std::abs(number) < 0x1.0p62;
}

}  // namespace

bool Value::as_bool() const {
  if (!is_bool()) throw wrong_kind(*this, "true or false");
  return std::get<bool>(data_);
}

std::int64_t Value::as_int() const {
  if (is_int()) return std::get<std::int64_t>(data_);
  if (is_double() && is_whole(std::get<double>(data_))) {
    return static_cast<std::int64_t>(std::get<double>(data_));
  }
  throw wrong_kind(*this, "an integer");
}

double Value::as_double() const {
  if (is_int()) return static_cast<double>(std::get<std::int64_t>(data_));
  if (!is_double()) throw wrong_kind(*this, "a number");
  return std::get<double>(data_);
}

const std::string& Value::as_string() const {
  if (!is_string()) throw wrong_kind(*this, "a string");
  return std::get<std::string>(data_);
}

const Value::List& Value::as_list() const {
  if (!is_list()) throw wrong_kind(*this, "a list");
  return std::get<List>(data_);
}

const Value::Map& Value::as_map() const {
  if (!is_map()) throw wrong_kind(*this, "a mapping");
  return std::get<Map>(data_);
}

const Value* Value::find(std::string_view key) const {
  const Map* map = std::get_if<Map>(&data_);
  if (map == nullptr) return nullptr;
  const auto found = std::ranges::find(*map, key, &Map::value_type::first);
  return found == map->end() ? nullptr : &found->second;
}

Value& Value::set(std::string key, Value value) {
  if (is_null()) data_ = Map{};
  if (!is_map()) throw wrong_kind(*this, "a mapping");
  Map& map = std::get<Map>(data_);
  const auto found = std::ranges::find(map, key, &Map::value_type::first);
  if (found != map.end()) return found->second = std::move(value);
  return map.emplace_back(std::move(key), std::move(value)).second;
}

bool Value::operator==(const Value& other) const {
  if (is_number() && other.is_number()) {
    if (is_int() && other.is_int())
      return std::get<std::int64_t>(data_) == std::get<std::int64_t>(other.data_);
    return as_double() == other.as_double();
  }
  if (is_map() && other.is_map()) {
    const Map& mine = std::get<Map>(data_);
    if (mine.size() != std::get<Map>(other.data_).size()) return false;
    return std::ranges::all_of(mine, [&](const auto& entry) {
      const Value* theirs = other.find(entry.first);
      return theirs != nullptr && *theirs == entry.second;
    });
  }
  return data_ == other.data_;
}

const char* Value::kind() const {
  static constexpr const char* kKinds[] = {"nothing", "boolean", "integer", "number",
                                           "string",  "list",    "mapping"};
  return kKinds[data_.index()];
}

}  // namespace quantsearch
