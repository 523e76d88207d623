#include "quantsearch/search/pareto.h"

#include "quantsearch/base/error.h"
#include "quantsearch/optimizers/non_dominated.h"
#include "search/trial_losses.h"

namespace quantsearch {

namespace {

struct Competitors {
  std::vector<std::int64_t> numbers;
  std::vector<Losses> losses;
};

Competitors competitors_of(std::span<const Trial> trials, std::span<const Goal> goals) {
  if (goals.empty()) throw InvalidInput("pareto front: got no goal, expected one per objective");
  Competitors competitors;
  for (const Trial& trial : trials) {
    const auto losses = losses_of(trial, goals, "pareto front");
    if (!losses || violation_of(trial.constraints) > 0) continue;
    competitors.numbers.push_back(trial.number);
    competitors.losses.push_back(*losses);
  }
  return competitors;
}

}  // namespace

std::vector<std::vector<std::int64_t>> pareto_fronts(std::span<const Trial> trials,
                                                     std::span<const Goal> goals) {
  const Competitors competitors = competitors_of(trials, goals);
  std::vector<std::vector<std::int64_t>> numbers;
  for (const auto& front : fronts_of(non_dominated_ranks(competitors.losses))) {
    auto& of_front = numbers.emplace_back();
    for (const std::size_t index : front) of_front.push_back(competitors.numbers[index]);
  }
  return numbers;
}

std::vector<std::int64_t> pareto_front(std::span<const Trial> trials, std::span<const Goal> goals) {
  auto fronts = pareto_fronts(trials, goals);
  return fronts.empty() ? std::vector<std::int64_t>{} : std::move(fronts.front());
}

}  // namespace quantsearch
