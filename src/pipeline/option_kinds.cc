// Checks for each kind of option value.

#include <fmt/core.h>

#include <algorithm>
#include <cctype>

#include "pipeline/option_table.h"
#include "quantsearch/base/error.h"
#include "quantsearch/internal/base/names.h"

namespace quantsearch::options {

namespace {

bool equal_ignoring_case(const std::string& a, const std::string& b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

}  // namespace

std::function<Value(const Value&)> one_of(std::vector<NamedChoice> choices,
                                          std::map<std::string, std::string> refused) {
  return [choices = std::move(choices), refused = std::move(refused)](const Value& value) -> Value {
    const std::string& text = value.as_string();
    std::vector<std::string> known;
    for (const NamedChoice& choice : choices) {
      known.push_back(choice.canonical);
      const auto matches = [&](const std::string& name) { return equal_ignoring_case(name, text); };
      if (matches(choice.canonical) || std::ranges::any_of(choice.aliases, matches))
        return choice.canonical;
    }
    for (const auto& [name, reason] : refused) {
      if (equal_ignoring_case(name, text)) throw Unsupported(fmt::format("'{}' {}", text, reason));
    }
    throw InvalidInput(unknown_name_message("value", text, known));
  };
}

std::function<Value(const Value&)> boolean() {
  return [](const Value& value) -> Value { return value.as_bool(); };
}

std::function<Value(const Value&)> integer(std::int64_t low, std::int64_t high) {
  return [low, high](const Value& value) -> Value {
    const std::int64_t number = value.as_int();
    if (number < low || number > high) {
      throw InvalidInput(fmt::format("got {}, expected an integer in [{}, {}]", number, low, high));
    }
    return number;
  };
}

std::function<Value(const Value&)> number_from(double low, double high) {
  return [low, high](const Value& value) -> Value {
    const double number = value.as_double();
    if (number >= low && number <= high) return number;
    throw InvalidInput("got " + to_json(value) + ", expected a number in [" + to_json(Value(low)) +
                       ", " + to_json(Value(high)) + "]");
  };
}

std::function<Value(const Value&)> number_above(double low, double high) {
  return [low, high](const Value& value) -> Value {
    const double number = value.as_double();
    if (!(number > low && number <= high)) {
      throw InvalidInput(fmt::format("got {}, expected a number in ({}, {}]", number, low, high));
    }
    return number;
  };
}

std::function<Value(const Value&)> list_of_strings() {
  return [](const Value& value) -> Value {
    if (value.is_string()) return Value::List{value};
    if (value.is_null()) return Value::List{};
    for (const Value& item : value.as_list()) (void)item.as_string();
    return value;
  };
}

std::function<Value(const Value&)> list_of_numbers_above(double low, double high) {
  return [check = number_above(low, high)](const Value& value) -> Value {
    Value::List numbers;
    for (const Value& item : value.as_list()) numbers.push_back(check(item));
    if (numbers.empty()) throw InvalidInput("got an empty list, expected at least one number");
    return numbers;
  };
}

std::function<Value(const Value&)> optional(std::function<Value(const Value&)> inner) {
  return [inner = std::move(inner)](const Value& value) -> Value {
    return value.is_null() ? value : inner(value);
  };
}

std::vector<std::string> strings_of(const Value& list) {
  std::vector<std::string> result;
  for (const Value& item : list.as_list()) result.push_back(item.as_string());
  return result;
}

}  // namespace quantsearch::options
