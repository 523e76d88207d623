#pragma once

// Adds values of any type to a key; option structs are added field by field.

#include <concepts>
#include <cstdint>
#include <ranges>
#include <string_view>
#include <type_traits>

#include "pipeline/option_fields.h"
#include "quantsearch/base/hash.h"

namespace quantsearch {

template <typename T>
void add_value(KeyBuilder& key, const T& value) {
  if constexpr (std::same_as<T, Facts>) {
    // Facts are derived from the statistics, which are covered by the keys of the ranges.
  } else if constexpr (std::same_as<T, bool> || std::same_as<T, Key>) {
    key.add(value);
  } else if constexpr (std::is_enum_v<T>) {
    key.add(static_cast<int>(value));
  } else if constexpr (std::integral<T>) {
    key.add(static_cast<std::int64_t>(value));
  } else if constexpr (std::floating_point<T>) {
    key.add(static_cast<double>(value));
  } else if constexpr (std::convertible_to<const T&, std::string_view>) {
    key.add(std::string_view(value));
  } else if constexpr (requires { value.has_value(); }) {
    key.add(value.has_value());
    if (value) add_value(key, *value);
  } else if constexpr (requires { value.second; }) {
    add_value(key, value.first);
    add_value(key, value.second);
  } else if constexpr (std::ranges::range<T>) {
    key.add(static_cast<std::int64_t>(value.size()));
    for (const auto& entry : value) add_value(key, entry);
  } else {
    for_each_field(value,
                   [&key](const char* /*name*/, const auto& field) { add_value(key, field); });
  }
}

/// Returns the key of a stage: its name and version, then its inputs.
template <typename... Read>
[[nodiscard]] Key stage_key(std::string_view name, int version, const Read&... read) {
  KeyBuilder key;
  key.add(name).add(version);
  (add_value(key, read), ...);
  return key.finish();
}

}  // namespace quantsearch
