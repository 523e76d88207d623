#include "optimizers/tpe/split.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>

#include "optimizers/pareto/hypervolume.h"
#include "optimizers/pareto/subset.h"
#include "quantsearch/base/error.h"
#include "quantsearch/optimizers/non_dominated.h"

namespace quantsearch {

namespace {

enum class Group { complete, pruned, infeasible };

Group group_of(const Rated& trial) {
  if (trial.violation > 0) return Group::infeasible;
  return trial.pruned ? Group::pruned : Group::complete;
}

/// The position of a trial in the order of those that are not compared by several objectives.
struct Place {
  Group group = Group::complete;
  double loss = 0;
  std::int64_t number = 0;
  std::size_t trial = 0;
  auto operator<=>(const Place&) const = default;
};

Place place_of(const Rated& trial, std::size_t index) {
  const Group group = group_of(trial);
  double loss = trial.violation;
  if (group != Group::infeasible) {
    loss = trial.objectives.empty() ? std::numeric_limits<double>::infinity()
                                    : trial.objectives.front();
  }
  return {group, loss, trial.number, index};
}

void mark_first(std::vector<Place> places, std::size_t count, std::vector<char>& best) {
  count = std::min(count, places.size());
  const auto middle = places.begin() + static_cast<std::ptrdiff_t>(count);
  std::ranges::nth_element(places, middle);
  for (auto place = places.begin(); place != middle; ++place) best[place->trial] = 1;
}

/// Marks the best `count` of the complete trials with several objectives.
void mark_pareto(std::span<const Rated> trials, const std::vector<std::size_t>& complete,
                 std::size_t count, std::vector<char>& best) {
  std::vector<Losses> losses;
  for (const std::size_t trial : complete) losses.push_back(trials[trial].objectives);
  for (const std::vector<std::size_t>& front : fronts_of(non_dominated_ranks(losses))) {
    if (count == 0) return;
    std::vector<std::size_t> chosen = front;
    if (front.size() > count) {
      std::vector<Losses> tied;
      for (const std::size_t member : front) tied.push_back(losses[member]);
      chosen.clear();
      for (const std::size_t i : greedy_hypervolume_subset(tied, reference_beyond(tied), count))
        chosen.push_back(front[i]);
    }
    for (const std::size_t member : chosen) best[complete[member]] = 1;
    count -= chosen.size();
  }
}

}  // namespace

Rated rate(const Observation& observation, std::size_t objectives) {
  const std::size_t got = observation.objectives.size();
  const bool pruned = observation.outcome == Outcome::pruned;
  if (got != objectives && !(pruned && got == 0)) {
    throw InvalidInput(fmt::format("search: tpe: trial {} has {} objectives, expected {}",
                                   observation.number, got, objectives));
  }
  return {.number = observation.number,
          .pruned = pruned,
          .objectives = observation.objectives,
          .violation = violation_of(observation.constraints)};
}

std::vector<char> best_trials(std::span<const Rated> trials, std::size_t count) {
  std::vector<char> best(trials.size(), 0);
  std::vector<std::size_t> compared;  // trials that are compared by several objectives
  std::vector<Place> places;
  for (std::size_t trial = 0; trial < trials.size(); ++trial) {
    if (group_of(trials[trial]) == Group::complete && trials[trial].objectives.size() > 1)
      compared.push_back(trial);
    else
      places.push_back(place_of(trials[trial], trial));
  }
  const std::size_t first = std::min(count, compared.size());
  mark_pareto(trials, compared, first, best);
  mark_first(std::move(places), count - first, best);
  return best;
}

std::vector<std::size_t> ranking(std::span<const Rated> trials,
                                 std::span<const std::uint32_t> rows) {
  std::vector<Place> places;
  for (std::size_t i = 0; i < rows.size(); ++i) places.push_back(place_of(trials[rows[i]], i));
  std::ranges::sort(places);
  std::vector<std::size_t> order;
  for (const Place& place : places) order.push_back(place.trial);
  return order;
}

}  // namespace quantsearch
