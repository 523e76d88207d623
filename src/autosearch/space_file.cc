#include "autosearch/space_file.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "quantsearch/base/error.h"
#include "quantsearch/internal/base/names.h"
#include "quantsearch/pipeline/settings.h"

namespace quantsearch {

namespace {

// The values of a range in a file are listed; a range with more values than this is probably a
// mistake.
constexpr double kMostRangeValues = 1'000'000;

/// True for {type: int|float, low, high, step, log}.
bool is_range(const Value& value) { return value.is_map() && value.find("type") != nullptr; }

std::vector<Value> integers_of(std::int64_t low, std::int64_t high, std::int64_t step) {
  if (step < 1) throw InvalidInput(fmt::format("got the step {}, expected at least 1", step));
  if (static_cast<double>(high - low) / static_cast<double>(step) > kMostRangeValues) {
    throw InvalidInput(
        fmt::format("the range has more than {} values; give a larger step", kMostRangeValues));
  }
  std::vector<Value> values;
  for (std::int64_t value = low; value <= high; value += step) values.emplace_back(value);
  return values;
}

std::vector<Value> numbers_of(double low, double high, double step) {
  if (!(step > 0))
    throw InvalidInput(fmt::format("got the step {}, expected a number above 0", step));
  // The tolerance is a millionth of a step: 0.1, 0.2, 0.3 ends at 0.3 although 0.1 * 3 > 0.3.
  const double count = std::floor((high - low) / step + 1e-6);
  if (count > kMostRangeValues) {
    throw InvalidInput(
        fmt::format("the range has more than {} values; give a larger step", kMostRangeValues));
  }
  std::vector<Value> values;
  for (double index = 0; index <= count; ++index) values.emplace_back(low + index * step);
  return values;
}

/// A range in a file. It has no choices when it is a range of real numbers without a step.
struct WrittenRange {
  std::vector<Value> choices;
  SearchDimension dimension;
};

WrittenRange integer_range(const Value& low, const Value& high, const Value* step, bool log) {
  if (log && step != nullptr)
    throw InvalidInput("got a 'step' with a logarithmic range; leave one of them out");
  const IntRange range{.low = low.as_int(),
                       .high = high.as_int(),
                       .step = step != nullptr ? step->as_int() : 1,
                       .log = log};
  if (log && range.low < 1)
    throw InvalidInput(
        fmt::format("a logarithmic range begins at {}, expected 1 or more", range.low));
  return {.choices = integers_of(range.low, range.high, range.step), .dimension = range};
}

WrittenRange number_range(double low, double high, const Value* step, bool log) {
  if (log && step != nullptr)
    throw InvalidInput("got a 'step' with a logarithmic range; leave one of them out");
  if (log && !(low > 0))
    throw InvalidInput(fmt::format("a logarithmic range begins at {}, expected above 0", low));
  FloatRange range{.low = low, .high = high, .log = log};
  if (step == nullptr) return {.choices = {}, .dimension = range};
  range.step = step->as_double();
  return {.choices = numbers_of(low, high, *range.step), .dimension = range};
}

WrittenRange range_of(const Value& value) {
  const std::vector<std::string> known = {"type", "low", "high", "step", "log"};
  for (const auto& [key, ignored] : value.as_map()) {
    if (std::ranges::find(known, key) == known.end())
      throw InvalidInput(unknown_name_message("range key", key, known));
  }
  const Value* low = value.find("low");
  const Value* high = value.find("high");
  if (low == nullptr || high == nullptr) throw InvalidInput("a range needs 'low' and 'high'");
  if (low->as_double() > high->as_double()) {
    throw InvalidInput(
        fmt::format("the range begins at {} and ends at {}", low->as_double(), high->as_double()));
  }
  const Value* log_given = value.find("log");
  const bool log = log_given != nullptr && log_given->as_bool();
  const Value* step = value.find("step");
  const std::string& type = value.find("type")->as_string();
  if (type == "int") return integer_range(*low, *high, step, log);
  if (type == "float") return number_range(low->as_double(), high->as_double(), step, log);
  const std::vector<std::string> types = {"int", "float"};
  throw InvalidInput(unknown_name_message("range type", type, types));
}

std::vector<Value> raw_choices(const std::string& option, const Value& value) {
  if (!value.is_list()) return {value};
  if (is_list_option(option)) {
    const auto& items = value.as_list();
    const bool nested = !items.empty() && std::ranges::all_of(items, [](const Value& item) {
      return item.is_list();
    });
    if (!nested)
      throw InvalidInput(
          "got a list, expected a list of lists: each choice of this option is a list itself");
    return items;
  }
  if (value.as_list().empty())
    throw InvalidInput("got an empty list, expected at least one choice");
  return value.as_list();
}

Parameter parameter_of(const std::string& option, const Value& value) {
  require_option(option);
  std::vector<Value> raw;
  Parameter parameter{.name = option, .choices = {}};
  try {
    if (is_range(value)) {
      WrittenRange range = range_of(value);
      raw = std::move(range.choices);
      parameter.range = range.dimension;
    } else {
      raw = raw_choices(option, value);
    }
  } catch (const InvalidInput& error) {
    throw InvalidInput(fmt::format("configuration: 'search_space.{}': {}", option, error.what()));
  } catch (const Unsupported& error) {
    throw Unsupported(fmt::format("configuration: 'search_space.{}': {}", option, error.what()));
  }
  if (raw.empty()) {  // a range that cannot be listed is checked at its ends
    for (const char* end : {"low", "high"}) (void)canonical_value(option, *value.find(end));
  }
  for (const Value& choice : raw) {
    Value canonical = canonical_value(option, choice);
    // Two spellings of one value ("MinMax", "CalibrationMethod.MinMax") are one choice.
    if (std::ranges::find(parameter.choices, canonical) == parameter.choices.end()) {
      parameter.choices.push_back(std::move(canonical));
    }
  }
  return parameter;
}

void flatten(const Value& mapping, const std::string& prefix, std::vector<Parameter>& parameters) {
  for (const auto& [key, value] : mapping.as_map()) {
    const std::string name = option_name(prefix + key);
    if (is_option_group(name)) {
      if (!value.is_null()) flatten(value, name + ".", parameters);
    } else {
      parameters.push_back(parameter_of(name, value));
    }
  }
}

Space space_of(const Value& mapping) {
  std::vector<Parameter> parameters;
  flatten(mapping, "", parameters);
  if (parameters.empty())
    throw InvalidInput(
        "configuration: 'search_space' has no keys, expected at least one option with its choices");
  return Space(std::move(parameters));
}

std::vector<Value> named_spaces(const Value& file, const Value& names) {
  std::vector<std::string> known;
  for (const auto& [key, value] : file.as_map()) {
    if (key.starts_with("search_space_"))
      known.push_back(key.substr(std::string("search_space_").size()));
  }
  std::vector<Value> spaces;
  for (const Value& name : names.as_list()) {
    const Value* space = file.find("search_space_" + name.as_string());
    if (space == nullptr) {
      throw InvalidInput("configuration: 'search_spaces': " +
                         unknown_name_message("search space", name.as_string(), known));
    }
    spaces.push_back(*space);
  }
  return spaces;
}

}  // namespace

std::optional<Space> space_from_file(const Value& file) {
  const Value* single = file.find("search_space");
  const Value* names = file.find("search_spaces");
  if (single != nullptr && names != nullptr) {
    throw InvalidInput(
        "configuration: got both 'search_space' and 'search_spaces', expected one of them");
  }
  std::vector<Value> written;
  if (names != nullptr) {
    written = named_spaces(file, *names);
  } else if (single != nullptr && !single->is_null()) {
    written = single->is_list() ? single->as_list() : std::vector<Value>{*single};
  } else {
    for (const auto& [key, value] : file.as_map()) {
      if (key.starts_with("search_space_")) {
        throw InvalidInput(
            fmt::format("configuration: '{}' is not used; name it in 'search_spaces'", key));
      }
    }
    return std::nullopt;
  }
  if (written.empty())
    throw InvalidInput("configuration: got no search space, expected at least one");
  std::vector<Space> spaces;
  for (const Value& mapping : written) spaces.push_back(space_of(mapping));
  return spaces.size() == 1 ? spaces.front() : Space::union_of(std::move(spaces));
}

}  // namespace quantsearch
