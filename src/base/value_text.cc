// Converts JSON and YAML to and from Value. This is the only file that uses either library.

#include <fmt/core.h>
#include <yaml-cpp/yaml.h>

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "quantsearch/base/error.h"
#include "quantsearch/base/value.h"
#include "quantsearch/internal/base/files.h"

namespace quantsearch {

namespace {

using Json = nlohmann::ordered_json;

Json to_library(const Value& value) {
  if (value.is_bool()) return value.as_bool();
  if (value.is_int()) return value.as_int();
  if (value.is_double())
    return std::isfinite(value.as_double()) ? Json(value.as_double()) : Json(nullptr);
  if (value.is_string()) return value.as_string();
  if (value.is_list()) {
    Json list = Json::array();
    for (const Value& item : value.as_list()) list.push_back(to_library(item));
    return list;
  }
  if (value.is_map()) {
    Json map = Json::object();
    for (const auto& [key, item] : value.as_map()) map[key] = to_library(item);
    return map;
  }
  return nullptr;
}

/// Builds a Value while the text is read, so that a duplicate key is an error instead of silently
/// replacing the first one.
class JsonReader final : public nlohmann::json_sax<Json> {
 public:
  bool null() override { return put({}); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(number_integer_t value) override { return put(std::int64_t{value}); }
  bool number_unsigned(number_unsigned_t value) override {
    return value <= INT64_MAX ? put(static_cast<std::int64_t>(value))
                              : put(static_cast<double>(value));
  }
  bool number_float(number_float_t value, const string_t&) override { return put(value); }
  bool string(string_t& value) override { return put(std::move(value)); }
  bool binary(binary_t&) override { return fail("binary values are not JSON"); }
  bool start_object(std::size_t) override { return open(true); }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(false); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    if (stack_.back().map.find(name) != nullptr)
      return fail(fmt::format("key '{}' appears twice", name));
    stack_.back().key = name;
    return true;
  }
  bool parse_error(std::size_t, const std::string&,
                   const nlohmann::detail::exception& problem) override {
    return fail(problem.what());
  }

  Value result;
  std::string error;

 private:
  struct Open {
    bool is_map = false;
    Value map = Value(Value::Map{});
    Value::List items;
    std::string key;
  };
  bool fail(std::string reason) {
    error = std::move(reason);
    return false;
  }
  bool put(Value value) {
    if (stack_.empty()) {
      result = std::move(value);
    } else if (Open& parent = stack_.back(); parent.is_map) {
      parent.map.set(parent.key, std::move(value));
    } else {
      parent.items.push_back(std::move(value));
    }
    return true;
  }
  bool open(bool is_map) {
    stack_.emplace_back().is_map = is_map;
    return true;
  }
  bool close() {
    Open done = std::move(stack_.back());
    stack_.pop_back();
    return put(done.is_map ? std::move(done.map) : Value(std::move(done.items)));
  }
  std::vector<Open> stack_;
};

template <typename Number>
std::optional<Number> parse_whole(std::string_view text) {
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// YAML 1.2 core schema for plain scalars, plus True/False and the like that Python users write.
Value plain_scalar(const std::string& text) {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "None") return {};
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  if (const auto integer = parse_whole<std::int64_t>(text)) return *integer;
  const bool numeric = text.find_first_of("0123456789") != std::string::npos &&
                       text.find_first_not_of("+-.0123456789eE") == std::string::npos;
  if (numeric) {
    if (const auto number = parse_whole<double>(text)) return *number;
  }
  return text;
}

Value from_library(const YAML::Node& node, const std::string& name) {
  switch (node.Type()) {
    case YAML::NodeType::Undefined:
    case YAML::NodeType::Null:
      return {};
    case YAML::NodeType::Scalar:
      // The tag "!" marks a quoted scalar, which is always a string.
      return node.Tag() == "!" ? Value(node.Scalar()) : plain_scalar(node.Scalar());
    case YAML::NodeType::Sequence: {
      Value::List items;
      for (const YAML::Node& item : node) items.push_back(from_library(item, name));
      return items;
    }
    case YAML::NodeType::Map: {
      Value map(Value::Map{});
      for (const auto& entry : node) {
        const std::string& key = entry.first.Scalar();
        if (map.find(key) != nullptr) {
          throw InvalidInput(fmt::format("configuration '{}' line {}: key '{}' appears twice", name,
                                         entry.first.Mark().line + 1, key));
        }
        map.set(key, from_library(entry.second, name));
      }
      return map;
    }
  }
  return {};
}

bool needs_quotes(const std::string& text) {
  if (!plain_scalar(text).is_string()) return true;
  const bool has_indicator = text.find_first_of(":#{}[],&*!|>'\"%@`\n") != std::string::npos ||
                             text.front() == ' ' || text.back() == ' ' || text.front() == '-' ||
                             text.front() == '?';
  return has_indicator || YAML::Load(text).Type() != YAML::NodeType::Scalar;
}

void emit(YAML::Emitter& out, const Value& value) {
  if (value.is_list()) {
    out << YAML::Flow << YAML::BeginSeq;
    for (const Value& item : value.as_list()) emit(out, item);
    out << YAML::EndSeq;
  } else if (value.is_map()) {
    out << YAML::Block << YAML::BeginMap;
    for (const auto& [key, item] : value.as_map()) {
      out << YAML::Key << key << YAML::Value;
      emit(out, item);
    }
    out << YAML::EndMap;
  } else if (value.is_string()) {
    if (needs_quotes(value.as_string())) out << YAML::DoubleQuoted;
    out << value.as_string();
  } else if (const std::string text = to_json(value); text == "null") {
    out << YAML::Null;  // null, or a number that is not finite
  } else {
    out << text;
  }
}

}  // namespace

Value parse_json(std::string_view text, const std::string& name) {
  JsonReader reader;
  if (!Json::sax_parse(text.begin(), text.end(), &reader)) {
    throw InvalidInput(fmt::format("configuration '{}' is not valid JSON: {}", name, reader.error));
  }
  return std::move(reader.result);
}

Value parse_yaml(std::string_view text, const std::string& name) {
  try {
    return from_library(YAML::Load(std::string(text)), name);
  } catch (const YAML::Exception& error) {
    throw InvalidInput(fmt::format("configuration '{}' is not valid YAML: line {}, column {}: {}",
                                   name, error.mark.line + 1, error.mark.column + 1, error.msg));
  }
}

Value load_config_file(const std::filesystem::path& file) {
  std::string text;
  try {
    text = read_file(file);
  } catch (const InvalidInput& error) {
    throw InvalidInput(
        fmt::format("configuration: {}, expected a YAML or JSON file", error.what()));
  }
  return file.extension() == ".json" ? parse_json(text, file.string())
                                     : parse_yaml(text, file.string());
}

std::string to_json(const Value& value, int indent) {
  return to_library(value).dump(indent, ' ', false, Json::error_handler_t::replace);
}

std::string to_yaml(const Value& value) {
  YAML::Emitter out;
  emit(out, value);
  return std::string(out.c_str()) + "\n";
}

}  // namespace quantsearch
