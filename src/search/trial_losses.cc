#include "search/trial_losses.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "quantsearch/base/error.h"

namespace quantsearch {

Losses minimised(std::span<const double> values, std::span<const Goal> goals) {
  Losses losses(values.begin(), values.end());
  for (std::size_t i = 0; i < losses.size(); ++i)
    if (goals[i] == Goal::maximize) losses[i] = -losses[i];
  return losses;
}

std::optional<Losses> losses_of(const Trial& trial, std::span<const Goal> goals,
                                std::string_view stage) {
  if (trial.state != TrialState::complete) return std::nullopt;
  std::vector<double> objectives = trial.objectives;
  if (objectives.empty() && trial.value) objectives = {*trial.value};
  if (objectives.size() != goals.size() || goals.empty())
    throw InvalidInput(fmt::format("{}: trial {} has {} objectives, expected {}, one per goal",
                                   stage, trial.number, objectives.size(), goals.size()));
  if (std::ranges::any_of(objectives, [](double value) { return std::isnan(value); }))
    return std::nullopt;
  return minimised(objectives, goals);
}

}  // namespace quantsearch
