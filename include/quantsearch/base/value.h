#pragma once

// A configuration value: what a YAML or JSON document holds. Keys of a mapping keep their order, so
// that what was read can be written again. Points of a search space, configurations and results are
// made of these.

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

  /// Each throws InvalidInput saying what the value is instead. `as_double` takes integers too;
  /// `as_int` takes a floating-point number that is whole (YAML writes 1e3 for 1000).
  [[nodiscard]] bool as_bool() const;
  [[nodiscard]] std::int64_t as_int() const;
  [[nodiscard]] double as_double() const;
  [[nodiscard]] const std::string& as_string() const;
  [[nodiscard]] const List& as_list() const;
  [[nodiscard]] const Map& as_map() const;

  /// Null when this is not a mapping or has no such key.
  [[nodiscard]] const Value* find(std::string_view key) const;
  /// Sets or replaces a key; a null value becomes a mapping first.
  Value& set(std::string key, Value value);

  /// 1 and 1.0 are equal; mappings are equal when the same keys hold equal values, in any order.
  bool operator==(const Value& other) const;

  /// "boolean", "integer", "number", "string", "list", "mapping", "nothing".
  [[nodiscard]] const char* kind() const;

 private:
  std::variant<std::monostate, bool, std::int64_t, double, std::string, List, Map> data_;
};

/// Each throws InvalidInput with `name` (the file, for the message), line and column of a syntax
/// error or duplicate key.
[[nodiscard]] Value parse_json(std::string_view text, const std::string& name);
[[nodiscard]] Value parse_yaml(std::string_view text, const std::string& name);
/// By extension: .json is JSON, anything else YAML (of which JSON is nearly a subset).
[[nodiscard]] Value load_config_file(const std::filesystem::path& file);

/// `indent` < 0: one line. Doubles are written with the digits that read back the same; NaN and inf
/// become null.
[[nodiscard]] std::string to_json(const Value& value, int indent = -1);
[[nodiscard]] std::string to_yaml(const Value& value);

}  // namespace quantsearch
