#include "quantsearch/search/importance.h"

#include <algorithm>
#include <map>

#include "search/trial_losses.h"

namespace quantsearch {

namespace {

/// The values that occur in the trials, by parameter.
using Values = std::map<std::string, std::vector<Value>>;

bool are_numbers(const std::vector<Value>& values) {
  return std::ranges::all_of(values, &Value::is_number);
}

Values values_of(std::span<const Trial> trials) {
  Values values;
  for (const Trial& trial : trials) {
    if (trial.state != TrialState::complete) continue;
    for (const auto& [name, value] : trial.point) {
      std::vector<Value>& known = values[name];
      if (std::ranges::find(known, value) == known.end()) known.push_back(value);
    }
  }
  for (auto& [name, known] : values) {
    if (are_numbers(known)) std::ranges::stable_sort(known, {}, &Value::as_double);
  }
  return values;
}

Coordinates coordinates_of(const Point& point, const Values& values) {
  Coordinates at;
  for (const auto& [name, known] : values) {
    const auto chosen = point.find(name);
    at.push_back(
        chosen == point.end()
            ? kInactive
            : static_cast<double>(std::ranges::find(known, chosen->second) - known.begin()));
  }
  return at;
}

}  // namespace

std::vector<ParameterImportance> importances(std::span<const Trial> trials,
                                             std::span<const Goal> goals,
                                             const ImportanceOptions& options) {
  const Values values = values_of(trials);
  Domain domain;
  for (const auto& [name, known] : values)
    domain.dimensions.push_back(
        Categories{.count = std::ssize(known), .ordered = are_numbers(known)});
  std::vector<Observation> observations;
  for (const Trial& trial : trials) {
    const auto losses = losses_of(trial, goals, "importances");
    if (!losses) continue;
    observations.push_back({.number = trial.number,
                            .at = coordinates_of(trial.point, values),
                            .objectives = *losses,
                            .constraints = trial.constraints});
  }
  const std::vector<double> shares = importances(domain, observations, options);
  std::vector<ParameterImportance> named;
  for (const auto& [name, known] : values)
    named.push_back({.name = name, .share = shares[named.size()]});
  std::ranges::stable_sort(named, std::ranges::greater{}, &ParameterImportance::share);
  return named;
}

}  // namespace quantsearch
