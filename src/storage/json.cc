#include "storage/json.h"

#include <array>
#include <cmath>
#include <limits>

#include "quantsearch/base/error.h"

namespace quantsearch {

namespace {

struct Special {
  std::string_view word;
  double value;
};
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr std::array<Special, 3> kSpecials{Special{"NaN", std::numeric_limits<double>::quiet_NaN()},
                                           Special{"Infinity", kInfinity},
                                           Special{"-Infinity", -kInfinity}};

// The prefix of strings that stand for NaN and infinity while the library reads. No text written by
// people begins with it.
constexpr std::string_view kMark = "\x01\x02";
constexpr std::string_view kEscapedMark = "\\u0001\\u0002";

std::string with_marked_words(const std::string& text) {
  std::string marked;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (in_string && text[i] == '\\' && i + 1 < text.size()) {
      marked += text[i++];
    } else if (text[i] == '"') {
      in_string = !in_string;
    } else if (!in_string) {
      const std::string_view rest = std::string_view(text).substr(i);
      for (const Special& special : kSpecials) {
        if (!rest.starts_with(special.word)) continue;
        marked.append("\"").append(kEscapedMark).append(special.word) += '"';
        i += special.word.size();
        break;
      }
      if (i >= text.size()) break;
    }
    marked += text[i];
  }
  return marked;
}

Value without_marks(const Value& value) {
  if (value.is_string()) {
    for (const Special& special : kSpecials) {
      if (value.as_string() == std::string(kMark).append(special.word)) return special.value;
    }
  } else if (value.is_list()) {
    Value::List list;
    for (const Value& item : value.as_list()) list.push_back(without_marks(item));
    return list;
  } else if (value.is_map()) {
    Value::Map map;
    for (const auto& [key, item] : value.as_map()) map.emplace_back(key, without_marks(item));
    return map;
  }
  return value;
}

}  // namespace

std::string write_json(const Value& value) {
  if (value.is_double() && !std::isfinite(value.as_double())) {
    if (std::isnan(value.as_double())) return "NaN";
    return value.as_double() > 0 ? "Infinity" : "-Infinity";
  }
  std::string text;
  if (value.is_list()) {
    for (const Value& item : value.as_list()) text += (text.empty() ? "" : ",") + write_json(item);
    return "[" + text + "]";
  }
  if (value.is_map()) {
    for (const auto& [key, item] : value.as_map()) {
      text += (text.empty() ? "" : ",") + to_json(key) + ":" + write_json(item);
    }
    return "{" + text + "}";
  }
  return to_json(value);
}

Value read_json(const std::string& text, const std::string& name) {
  const bool may_have_words =
      text.find("NaN") != std::string::npos || text.find("Infinity") != std::string::npos;
  return may_have_words ? without_marks(parse_json(with_marked_words(text), name))
                        : parse_json(text, name);
}

}  // namespace quantsearch
