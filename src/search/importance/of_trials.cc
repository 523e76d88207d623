// Trials of a space as observations of a domain: a parameter is the index of its choice, or a
// number of its range.

#include <algorithm>
#include <map>

#include "quantsearch/search/importance.h"
#include "search/axis.h"
#include "search/pareto/trial_losses.h"

namespace quantsearch {

namespace {

/// One name: its values over all products of the space, numbers in their order, or its range.
struct Setting {
  std::vector<Value> values;
  std::optional<SearchDimension> range;
};
using Settings = std::map<std::string, Setting>;

bool are_numbers(const std::vector<Value>& values) {
  return std::ranges::all_of(values, [](const Value& value) { return value.is_number(); });
}

Settings settings_of(const Space& space) {
  Settings settings;
  for (const auto& product : space.products()) {
    for (const Parameter& parameter : product) {
      Setting& setting = settings[parameter.name];
      if (!setting.range) setting.range = parameter.range;
      for (const Value& choice : parameter.choices)
        if (std::ranges::find(setting.values, choice) == setting.values.end())
          setting.values.push_back(choice);
    }
  }
  for (auto& [name, setting] : settings)
    if (are_numbers(setting.values))
      std::ranges::stable_sort(setting.values, {},
                               [](const Value& value) { return value.as_double(); });
  return settings;
}

Domain domain_of(const Settings& settings) {
  Domain domain;
  for (const auto& [name, setting] : settings)
    domain.dimensions.push_back(setting.range.value_or(
        Categories{.count = std::ssize(setting.values), .ordered = are_numbers(setting.values)}));
  return domain;
}

/// nullopt for a value that is not of the space.
std::optional<double> coordinate_of(const Value& value, const Setting& setting) {
  if (setting.range) {
    const Axis axis(*setting.range);
    const bool inside =
        value.is_number() && value.as_double() >= axis.first() && value.as_double() <= axis.last();
    return inside ? std::optional(value.as_double()) : std::nullopt;
  }
  const auto place = std::ranges::find(setting.values, value);
  if (place == setting.values.end()) return std::nullopt;
  return static_cast<double>(place - setting.values.begin());
}

std::optional<Coordinates> coordinates_of(const Point& point, const Settings& settings) {
  Coordinates at;
  for (const auto& [name, setting] : settings) {
    const auto chosen = point.find(name);
    const auto coordinate =
        chosen == point.end() ? std::optional(kInactive) : coordinate_of(chosen->second, setting);
    if (!coordinate) return std::nullopt;
    at.push_back(*coordinate);
  }
  return at;
}

}  // namespace

std::vector<ParameterImportance> importances(const Space& space, std::span<const Trial> trials,
                                             std::span<const Goal> goals,
                                             const ImportanceOptions& options) {
  const Settings settings = settings_of(space);
  std::vector<Observation> observations;
  for (const Trial& trial : trials) {
    const auto losses = losses_of(trial, goals, "importances");
    const auto at = coordinates_of(trial.point, settings);
    if (!losses || !at) continue;
    observations.push_back({.number = trial.number,
                            .at = *at,
                            .objectives = *losses,
                            .constraints = trial.constraints});
  }
  const auto shares = importances(domain_of(settings), observations, options);
  std::vector<ParameterImportance> named;
  for (const auto& [name, setting] : settings)
    named.push_back({.name = name, .share = shares[named.size()]});
  std::ranges::stable_sort(named, std::ranges::greater{}, &ParameterImportance::share);
  return named;
}

}  // namespace quantsearch
