#include "quantsearch/internal/report/point_text.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>

#include "quantsearch/internal/base/names.h"

namespace quantsearch {

namespace {

// Longer lists and mappings are shown as a letter, or as a count where there is only one.
constexpr std::size_t kLongValue = 24;
constexpr std::size_t kNamed = 3;  // values of a list that are named

/// The last `parts` parts of a dotted name.
std::string last_parts(const std::string& name, int parts) {
  std::size_t dot = name.size();
  for (int part = 0; part < parts && dot != std::string::npos; ++part)
    dot = dot == 0 ? std::string::npos : name.rfind('.', dot - 1);
  return dot == std::string::npos ? name : name.substr(dot + 1);
}

std::string bare_name(const std::string& option) {
  const std::string name = last_parts(option, 1);
  const std::string prefix = "include_";
  return name.starts_with(prefix) ? name.substr(prefix.size()) : name;
}

/// Enumerations are shown without their class where their names are unique.
std::string bare_value(const std::string& text) {
  for (const char* group : {"CalibrationMethod.", "LayerWiseMethod.", "QuantType."}) {
    if (text.starts_with(group)) return text.substr(std::string(group).size());
  }
  return text;
}

bool is_long(const Value& value) {
  return (value.is_list() || value.is_map()) && to_json(value).size() > kLongValue;
}

std::vector<std::string> names_in(const Value& value) {
  std::vector<std::string> names;
  if (value.is_map()) {
    for (const auto& [name, member] : value.as_map()) names.push_back(name);
    return names;
  }
  for (const Value& member : value.as_list())
    names.push_back(member.is_string() ? member.as_string() : to_json(member));
  return names;
}

std::string letter(std::size_t index) {
  std::string text(1, static_cast<char>('A' + static_cast<int>(index % 26)));
  return index < 26 ? text : text + std::to_string(index / 26);
}

void add(std::vector<Value>& values, const Value& value) {
  if (std::ranges::find(values, value) == values.end()) values.push_back(value);
}

}  // namespace

PointText::PointText(const Choices& choices, const Point& common) : common_(common) {
  for (const auto& [option, values] : choices) {
    ++uses_[bare_name(option)];
    has_switches_ = has_switches_ || (!common_.contains(option) &&
                                      std::ranges::find(values, Value(false)) != values.end());
    if (!common_.contains(option) && std::ranges::any_of(values, is_long))
      long_choices_[option] = values;
  }
}

PointText PointText::of(const Space& space) {
  Choices choices;
  std::map<std::string, std::size_t> products;  // that have the parameter
  Point common;
  for (const auto& product : space.products()) {
    for (const Parameter& parameter : product) {
      ++products[parameter.name];
      for (const Value& choice : parameter.choices) add(choices[parameter.name], choice);
      if (parameter.choices.empty()) choices[parameter.name] = {};
    }
  }
  for (const auto& [name, values] : choices) {
    if (values.size() == 1 && products[name] == space.products().size())
      common[name] = values.front();
  }
  return {choices, common};
}

PointText PointText::of(const std::vector<const Point*>& points) {
  Choices choices;
  std::map<std::string, std::size_t> uses;
  Point common;
  for (const Point* point : points) {
    for (const auto& [name, value] : *point) {
      ++uses[name];
      add(choices[name], value);
    }
  }
  for (const auto& [name, values] : choices) {
    if (points.size() > 1 && values.size() == 1 && uses[name] == points.size())
      common[name] = values.front();
  }
  return {choices, common};
}

std::string PointText::short_name(const std::string& option) const {
  const auto uses = uses_.find(bare_name(option));
  return uses == uses_.end() || uses->second < 2 ? bare_name(option) : last_parts(option, 2);
}

std::string PointText::value_text(const std::string& option, const Value& value) const {
  if (const auto values = long_choices_.find(option); values != long_choices_.end()) {
    const auto found = std::ranges::find(values->second, value);
    if (found != values->second.end())
      return letter(static_cast<std::size_t>(found - values->second.begin()));
  }
  if (is_long(value)) return fmt::format("({})", some_of(names_in(value), kNamed));
  if (!value.is_string()) return to_json(value);
  const std::string& text = value.as_string();
  const bool is_plain = !text.empty() && text.find_first_of(" =\"\n\t") == std::string::npos;
  return is_plain ? bare_value(text) : to_json(value);
}

std::string PointText::setting_text(const std::string& option, const Value& value) const {
  return fmt::format("{}={}", short_name(option), value_text(option, value));
}

std::string PointText::common() const {
  std::string text;
  for (const auto& [option, value] : common_)
    text += fmt::format("{}{}", text.empty() ? "" : " ", setting_text(option, value));
  return text;
}

std::vector<std::string> PointText::letters() const {
  std::vector<std::string> lines;
  for (const auto& [option, values] : long_choices_) {
    for (const Value& value : values) {
      const std::vector<std::string> names = names_in(value);
      lines.push_back(fmt::format(
          "{}: {}", setting_text(option, value),
          names.empty() ? "none"
                        : fmt::format("{} in all, {}", names.size(), some_of(names, kNamed))));
    }
  }
  return lines;
}

std::string PointText::spelled_out(const Point& point) const {
  PointText names = *this;
  names.long_choices_.clear();
  return names.text(point);
}

std::string PointText::text(const Point& point) const {
  std::string text;
  for (const auto& [option, value] : point) {
    const auto common = common_.find(option);
    if (common != common_.end() && common->second == value) continue;
    if (value == Value(false)) continue;
    text += fmt::format("{}{}", text.empty() ? "" : " ",
                        value == Value(true) ? short_name(option) : setting_text(option, value));
  }
  return text.empty() ? "-" : text;
}

}  // namespace quantsearch
