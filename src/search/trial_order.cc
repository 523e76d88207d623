#include "quantsearch/search/trial_order.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>
#include <utility>

#include "quantsearch/base/error.h"
#include "quantsearch/internal/base/names.h"
#include "search/trial_sizes.h"

namespace quantsearch {

namespace {

constexpr std::pair<const char*, SearchGoal> kGoals[] = {
    {"most_accurate", SearchGoal::most_accurate},
    {"fastest", SearchGoal::fastest},
    {"smallest", SearchGoal::smallest}};

auto tie_break(const Trial& trial) {
  return std::tuple(float_layers_of(trial.details).value_or(0),
                    size_bytes_of(trial.details).value_or(0), to_string(trial.point),
                    key_of(trial.point).hex(), trial.number);
}

/// Steps of speed that count as different.
constexpr double kSpeedStep = 1.02;

/// The speed of a candidate in steps, less for the faster; 0 for all that are not clearly faster
/// than the float model.
std::int64_t speed_of(const Trial& trial) {
  const std::optional<LatencyRatio> ratio = latency_ratio_of(trial.details);
  if (!ratio || ratio->high >= 1) return 0;
  return std::min<std::int64_t>(0, std::llround(std::log(ratio->ratio) / std::log(kSpeedStep)));
}

/// What the goal compares before the values; the lesser is better.
std::array<std::int64_t, 3> preference(const Trial& trial, SearchGoal goal) {
  const std::int64_t bytes = size_bytes_of(trial.details).value_or(0);
  switch (goal) {
    case SearchGoal::most_accurate:
      return {};
    case SearchGoal::smallest:
      return {bytes, 0, 0};
    case SearchGoal::fastest: {
      const std::int64_t speed = speed_of(trial);
      return {speed, speed == 0 ? bytes : 0, conversions_of(trial.details).value_or(0)};
    }
  }
  throw InternalError("search goal without an order");
}

}  // namespace

std::string to_string(SearchGoal goal) {
  for (const auto& [name, known] : kGoals) {
    if (known == goal) return name;
  }
  throw InternalError("search goal without a name");
}

SearchGoal parse_search_goal(const std::string& name) {
  std::vector<std::string> names;
  for (const auto& [known, goal] : kGoals) {
    if (name == known) return goal;
    names.emplace_back(known);
  }
  throw InvalidInput(unknown_name_message("goal", name, names));
}

bool TrialOrder::improves(const Trial& a, const Trial& b) const {
  const bool is_complete = a.state == TrialState::complete;
  if (is_complete != (b.state == TrialState::complete)) return is_complete;
  if (!is_complete) return false;
  if (is_feasible(a) != is_feasible(b)) return is_feasible(a);
  if (a.is_candidate != b.is_candidate) return a.is_candidate;
  if (a.is_candidate && ranking_.goal != SearchGoal::most_accurate) {
    const auto of_a = preference(a, ranking_.goal);
    const auto of_b = preference(b, ranking_.goal);
    if (of_a != of_b) return of_a < of_b;
  }
  return is_better(*a.value, *b.value, ranking_.value);
}

bool TrialOrder::operator()(const Trial& a, const Trial& b) const {
  if (improves(a, b)) return true;
  return !improves(b, a) && tie_break(a) < tie_break(b);
}

std::vector<const Trial*> ranked(const std::vector<Trial>& trials, Ranking ranking) {
  std::vector<const Trial*> complete;
  for (const Trial& trial : trials) {
    if (trial.state == TrialState::complete) complete.push_back(&trial);
  }
  const TrialOrder order(ranking);
  std::ranges::sort(complete, [&order](const Trial* a, const Trial* b) { return order(*a, *b); });
  return complete;
}

}  // namespace quantsearch
