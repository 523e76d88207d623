#include "storage/distribution.h"

#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "quantsearch/base/error.h"
#include "storage/json.h"

namespace quantsearch {

namespace {

/// A string that begins like JSON is quoted, to distinguish it from a list that was converted to a
/// string.
bool begins_as_json(const std::string& text) {
  return text.starts_with('[') || text.starts_with('{') || text.starts_with('"');
}

Value encode_choice(const Value& choice) {
  const bool is_encoded = choice.is_list() || choice.is_map() ||
                          (choice.is_string() && begins_as_json(choice.as_string()));
  return is_encoded ? Value(write_json(choice)) : choice;
}

Value decode_choice(const Value& choice) {
  if (!choice.is_string() || !begins_as_json(choice.as_string())) return choice;
  try {
    return read_json(choice.as_string(), "choice");
  } catch (const InvalidInput&) {
    return choice;  // a string of an Optuna user that only begins like JSON
  }
}

Value attribute(const Value& attributes, const char* key, Value otherwise) {
  const Value* const found = attributes.find(key);
  if (found == nullptr) return otherwise;
  return *found;
}

FloatRange float_range(const Value& attributes, bool log, const char* step_key) {
  FloatRange range{.low = attribute(attributes, "low", {}).as_double(),
                   .high = attribute(attributes, "high", {}).as_double(),
                   .log = attribute(attributes, "log", log).as_bool()};
  const Value step = attribute(attributes, step_key, {});
  if (!step.is_null()) range.step = step.as_double();
  return range;
}

IntRange int_range(const Value& attributes, bool log) {
  const Value step = attribute(attributes, "step", 1);
  return {.low = attribute(attributes, "low", {}).as_int(),
          .high = attribute(attributes, "high", {}).as_int(),
          .step = step.is_null() ? 1 : step.as_int(),
          .log = attribute(attributes, "log", log).as_bool()};
}

Distribution of_kind(const std::string& kind, const Value& attributes) {
  if (kind == "FloatDistribution" || kind == "float" || kind == "UniformDistribution") {
    return float_range(attributes, false, "step");
  }
  if (kind == "LogUniformDistribution") return float_range(attributes, true, "step");
  if (kind == "DiscreteUniformDistribution") return float_range(attributes, false, "q");
  if (kind == "IntDistribution" || kind == "int" || kind == "IntUniformDistribution") {
    return int_range(attributes, false);
  }
  if (kind == "IntLogUniformDistribution") return int_range(attributes, true);
  if (kind == "CategoricalDistribution" || kind == "categorical") {
    std::vector<Value> choices;
    const Value written = attribute(attributes, "choices", {});
    for (const Value& choice : written.as_list()) {
      choices.push_back(decode_choice(choice));
    }
    return choices;
  }
  throw InvalidInput(fmt::format("got a distribution of kind '{}'", kind));
}

/// The choices 1 and 1.0 differ, and so do 1 and true, also inside lists.
bool are_same(const Value& one, const Value& other) {
  const auto is_simple = [](const Value& value) { return !value.is_list() && !value.is_map(); };
  if (is_simple(one) && is_simple(other)) {
    if (one.is_double() && other.is_double()) {
      return std::bit_cast<std::uint64_t>(one.as_double()) ==
             std::bit_cast<std::uint64_t>(other.as_double());
    }
    return one == other && one.is_double() == other.is_double();
  }
  return write_json(one) == write_json(other);
}

void check_range(bool is_ordered, bool log, double low, double step, bool has_step,
                 const std::string& parameter) {
  if (!is_ordered) {
    throw InvalidInput(fmt::format(
        "study: the bounds of parameter '{}' are not finite or out of order", parameter));
  }
  if (!(step > 0) || (log && (low <= 0 || has_step))) {
    throw InvalidInput(
        fmt::format("study: parameter '{}' has a step that is not positive, or a "
                    "logarithm with a step or of numbers that are not positive",
                    parameter));
  }
}

Distribution distribution_of(const Parameter& parameter) {
  if (parameter.range) {
    if (const auto* range = std::get_if<FloatRange>(&*parameter.range)) return *range;
    if (const auto* range = std::get_if<IntRange>(&*parameter.range)) return *range;
  }
  return parameter.choices;
}

void add(std::vector<Value>& choices, const Value& value) {
  if (std::ranges::none_of(choices, [&](const Value& c) { return are_same(c, value); })) {
    choices.push_back(value);
  }
}

template <typename Range>
void widen_range(Range& range, const Range& other) {
  range.low = std::min(range.low, other.low);
  range.high = std::max(range.high, other.high);
  if (range.step != other.step) range.step = Range().step;
}

/// Extends the distribution of a parameter to all values that it may have in several products.
void widen(Distribution& all, const Distribution& other, const std::string& parameter) {
  if (auto* choices = std::get_if<std::vector<Value>>(&all); choices && other.index() == 2) {
    for (const Value& value : std::get<std::vector<Value>>(other)) add(*choices, value);
  } else if (!are_compatible(all, other)) {
    throw InvalidInput(
        fmt::format("study: parameter '{}' is {} in one search space and {} in another, expected "
                    "choices or a range, with or without a logarithm, in all",
                    parameter, to_json(all), to_json(other)));
  } else if (auto* reals = std::get_if<FloatRange>(&all)) {
    widen_range(*reals, std::get<FloatRange>(other));
  } else {
    widen_range(std::get<IntRange>(all), std::get<IntRange>(other));
  }
}

}  // namespace

std::string to_json(const Distribution& distribution) {
  const auto json = [](const char* kind, Value attributes) {
    return write_json(Value::Map{{"name", kind}, {"attributes", std::move(attributes)}});
  };
  if (const auto* range = std::get_if<FloatRange>(&distribution)) {
    return json("FloatDistribution",
                Value::Map{{"step", range->step ? Value(*range->step) : Value()},
                           {"low", range->low},
                           {"high", range->high},
                           {"log", range->log}});
  }
  if (const auto* range = std::get_if<IntRange>(&distribution)) {
    return json("IntDistribution", Value::Map{{"log", range->log},
                                              {"step", range->step},
                                              {"low", range->low},
                                              {"high", range->high}});
  }
  Value::List choices;
  for (const Value& choice : std::get<std::vector<Value>>(distribution)) {
    choices.push_back(encode_choice(choice));
  }
  return json("CategoricalDistribution", Value::Map{{"choices", std::move(choices)}});
}

Distribution parse_distribution(const std::string& json, const std::string& name) {
  try {
    const Value value = read_json(json, "distribution");
    if (const Value* type = value.find("type")) return of_kind(type->as_string(), value);
    return of_kind(attribute(value, "name", {}).as_string(), attribute(value, "attributes", {}));
  } catch (const InvalidInput& error) {
    throw InvalidInput(
        fmt::format("{}: the distribution {} cannot be read: {}", name, json, error.what()));
  }
}

std::optional<double> number_of(const Value& value, const Distribution& distribution) {
  if (const auto* range = std::get_if<FloatRange>(&distribution)) {
    if (!value.is_number()) return std::nullopt;
    const double number = value.as_double();
    return number >= range->low && number <= range->high ? std::optional(number) : std::nullopt;
  }
  if (const auto* range = std::get_if<IntRange>(&distribution)) {
    if (!value.is_int() || value.as_int() < range->low || value.as_int() > range->high) {
      return std::nullopt;
    }
    return static_cast<double>(value.as_int());
  }
  const auto& choices = std::get<std::vector<Value>>(distribution);
  auto found = std::ranges::find_if(choices, [&](const Value& c) { return are_same(c, value); });
  if (found == choices.end()) return std::nullopt;
  return static_cast<double>(found - choices.begin());
}

Value value_of(double number, const Distribution& distribution, const std::string& name) {
  if (std::holds_alternative<FloatRange>(distribution)) return number;
  if (std::holds_alternative<IntRange>(distribution)) return std::int64_t{std::llround(number)};
  const auto& choices = std::get<std::vector<Value>>(distribution);
  if (!(number >= 0 && number < static_cast<double>(choices.size()))) {
    throw InvalidInput(
        fmt::format("{}: got choice {}, expected one of {}", name, number, choices.size()));
  }
  return choices[static_cast<std::size_t>(number)];
}

bool are_compatible(const Distribution& one, const Distribution& other) {
  if (one.index() != other.index()) return false;
  if (const auto* range = std::get_if<FloatRange>(&one)) {
    return range->log == std::get<FloatRange>(other).log;
  }
  if (const auto* range = std::get_if<IntRange>(&one)) {
    return range->log == std::get<IntRange>(other).log;
  }
  return std::ranges::equal(std::get<std::vector<Value>>(one), std::get<std::vector<Value>>(other),
                            are_same);
}

bool may_follow(const Distribution& before, const Distribution& now) {
  const auto* const old = std::get_if<std::vector<Value>>(&before);
  const auto* const choices = std::get_if<std::vector<Value>>(&now);
  if (old == nullptr || choices == nullptr) return are_compatible(before, now);
  const auto common = static_cast<std::ptrdiff_t>(std::min(old->size(), choices->size()));
  return std::equal(old->begin(), old->begin() + common, choices->begin(), are_same);
}

void check(const std::string& parameter, const Distribution& distribution) {
  if (const auto* range = std::get_if<FloatRange>(&distribution)) {
    const bool is_ordered =
        std::isfinite(range->low) && std::isfinite(range->high) && range->low <= range->high;
    check_range(is_ordered, range->log, range->low, range->step.value_or(1),
                range->step.has_value(), parameter);
  } else if (const auto* whole = std::get_if<IntRange>(&distribution)) {
    check_range(whole->low <= whole->high, whole->log, static_cast<double>(whole->low),
                static_cast<double>(whole->step), whole->step != 1, parameter);
  } else {
    const auto& choices = std::get<std::vector<Value>>(distribution);
    if (choices.empty()) {
      throw InvalidInput(fmt::format("study: parameter '{}' has no choices", parameter));
    }
    for (auto choice = choices.begin(); choice != choices.end(); ++choice) {
      if (std::find_if(choices.begin(), choice,
                       [&](const Value& c) { return are_same(c, *choice); }) != choice) {
        throw InvalidInput(fmt::format("study: parameter '{}' has the choice {} twice", parameter,
                                       write_json(*choice)));
      }
    }
  }
}

std::map<std::string, Distribution> distributions_of(const Space& space,
                                                     std::span<const Point> points) {
  std::map<std::string, Distribution> all;
  for (const std::vector<Parameter>& product : space.products()) {
    for (const Parameter& parameter : product) {
      const auto [found, is_new] = all.try_emplace(parameter.name, distribution_of(parameter));
      if (!is_new) widen(found->second, distribution_of(parameter), parameter.name);
    }
  }
  for (const Point& point : points) {
    for (const auto& [name, value] : point) {
      const auto found = all.try_emplace(name, std::vector<Value>{}).first;
      if (auto* choices = std::get_if<std::vector<Value>>(&found->second)) add(*choices, value);
    }
  }
  return all;
}

}  // namespace quantsearch
