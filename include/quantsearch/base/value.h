#pragma once

// A configuration value, which can hold any YAML or JSON document. Keys of a mapping keep their
// order, so that a document is written in the order in which it was read. Points of a search space,
// configurations and results are made of these values.

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace quantsearch {

class Value {
 public:
  using List = std::vector<Value>;
  using Map = std::vector<std::pair<std::string, Value>>;

  Value() = default;  // null
  Value(bool value) : data_(value) {}
  Value(int value) : data_(static_cast<std::int64_t>(value)) {}
  Value(std::int64_t value) : data_(value) {}
  Value(double value) : data_(value) {}
  Value(const char* value) : data_(std::string(value)) {}
  Value(std::string_view value) : data_(std::string(value)) {}
  Value(std::string value) : data_(std::move(value)) {}
  Value(List value) : data_(std::move(value)) {}
  Value(Map value) : data_(std::move(value)) {}

  [[nodiscard]] bool is_null() const { return std::holds_alternative<std::monostate>(data_); }
  [[nodiscard]] bool is_bool() const { return std::holds_alternative<bool>(data_); }
  [[nodiscard]] bool is_int() const { return std::holds_alternative<std::int64_t>(data_); }
  [[nodiscard]] bool is_double() const { return std::holds_alternative<double>(data_); }
  /// Integer or floating point.
  [[nodiscard]] bool is_number() const { return is_int() || is_double(); }
  [[nodiscard]] bool is_string() const { return std::holds_alternative<std::string>(data_); }
  [[nodiscard]] bool is_list() const { return std::holds_alternative<List>(data_); }
  [[nodiscard]] bool is_map() const { return std::holds_alternative<Map>(data_); }

  /// Each throws InvalidInput that says what the value is instead. `as_double` takes integers too;
  /// `as_int` takes a floating-point number that is whole (YAML allows 1e3 for 1000).
  [[nodiscard]] bool as_bool() const;
  [[nodiscard]] std::int64_t as_int() const;
  [[nodiscard]] double as_double() const;
  [[nodiscard]] const std::string& as_string() const;
  [[nodiscard]] const List& as_list() const;
  [[nodiscard]] const Map& as_map() const;

  /// Null when this is not a mapping or has no such key.
  [[nodiscard]] const Value* find(std::string_view key) const;
  /// Sets or replaces a key; a null value becomes a mapping first. Throws InvalidInput for any
  /// other kind.
  Value& set(std::string key, Value value);

  /// 1 and 1.0 are equal; mappings are equal when the same keys hold equal values, in any order.
  bool operator==(const Value& other) const;

  /// "boolean", "integer", "number", "string", "list", "mapping", "nothing".
  [[nodiscard]] const char* kind() const;

 private:
  std::variant<std::monostate, bool, std::int64_t, double, std::string, List, Map> data_;
};

/// Each throws InvalidInput for a syntax error or a duplicate key. The message names `name` (the
/// file) and the place in the text.
[[nodiscard]] Value parse_json(std::string_view text, const std::string& name);
[[nodiscard]] Value parse_yaml(std::string_view text, const std::string& name);
/// Selects the format by extension: .json is JSON, anything else is YAML (of which JSON is nearly a
/// subset). Throws InvalidInput.
[[nodiscard]] Value load_config_file(const std::filesystem::path& file);

/// `indent` < 0 writes one line. Doubles get the digits that read back as the same number; NaN and
/// infinity become null.
[[nodiscard]] std::string to_json(const Value& value, int indent = -1);
[[nodiscard]] std::string to_yaml(const Value& value);

}  // namespace quantsearch
