#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "optimizers/axis.h"
#include "optimizers/importance/grid_density.h"
#include "optimizers/pareto/hypervolume.h"
#include "optimizers/pareto/subset.h"
#include "quantsearch/base/error.h"
#include "quantsearch/optimizers/importance.h"
#include "quantsearch/optimizers/non_dominated.h"

namespace quantsearch {

namespace {

constexpr double kFloor = 1e-12;    // of a density
constexpr std::size_t kRegime = 2;  // with fewer trials a dimension gets no importance

using Observed = std::vector<const Observation*>;

void check(const Domain& domain, const Observed& observed, const ImportanceOptions& options) {
  if (!(options.best_share > 0 && options.best_share < 1))
    throw InvalidInput(fmt::format("importances: got a share of {}, expected one between 0 and 1",
                                   options.best_share));
  for (const Observation* one : observed) {
    const std::size_t objectives = observed[0]->objectives.size();
    if (one->objectives.size() != objectives || objectives == 0)
      throw InvalidInput(fmt::format("importances: trial {} has {} objectives, trial {} has {}",
                                     one->number, one->objectives.size(), observed[0]->number,
                                     objectives));
    if (options.objective && *options.objective >= objectives)
      throw InvalidInput(fmt::format("importances: got objective {}, expected one below {}",
                                     *options.objective, objectives));
    if (one->at.size() != domain.dimensions.size())
      throw InvalidInput(fmt::format("importances: trial {} has {} dimensions, the domain has {}",
                                     one->number, one->at.size(), domain.dimensions.size()));
  }
}

std::vector<Losses> losses_of(const Observed& observed, const ImportanceOptions& options) {
  std::vector<Losses> losses;
  for (const Observation* one : observed)
    losses.push_back(options.objective ? Losses{one->objectives[*options.objective]}
                                       : one->objectives);
  return losses;
}

/// Marks the `count` best trials; with one objective also those that tie with the last of them.
std::vector<bool> best_of(const Observed& observed, const std::vector<Losses>& losses,
                          std::size_t count) {
  std::vector<double> violations;
  for (const Observation* one : observed) violations.push_back(violation_of(one->constraints));
  std::vector<bool> best(observed.size(), false);
  std::size_t taken = 0;
  for (const auto& front : fronts_of(constrained_ranks(losses, violations))) {
    if (taken >= count) break;
    const bool whole = taken + front.size() <= count || losses[0].size() == 1;
    if (whole) {
      for (const std::size_t index : front) best[index] = true;
    } else {
      std::vector<Losses> contested;
      for (const std::size_t index : front) contested.push_back(losses[index]);
      for (const std::size_t place :
           greedy_hypervolume_subset(contested, reference_beyond(contested), count - taken))
        best[front[place]] = true;
    }
    taken += front.size();
  }
  return best;
}

double pearson_divergence(const std::vector<double>& top, const std::vector<double>& all) {
  double divergence = 0;
  for (std::size_t cell = 0; cell < top.size(); ++cell) {
    const double excess = (top[cell] + kFloor) / (all[cell] + kFloor) - 1;
    divergence += (all[cell] + kFloor) * excess * excess;
  }
  return divergence;
}

/// The result is not yet divided by the sum over the dimensions.
double importance_of(const SearchDimension& dimension, std::size_t index, const Observed& observed,
                     const std::vector<bool>& best) {
  std::vector<double> all_values;
  std::vector<double> best_values;
  for (std::size_t trial = 0; trial < observed.size(); ++trial) {
    const double value = observed[trial]->at[index];
    if (!is_active(value)) continue;
    all_values.push_back(value);
    if (best[trial]) best_values.push_back(value);
  }
  if (all_values.size() < kRegime || best_values.empty() || grid_cells(dimension) == 1) return 0;
  const auto best_count = static_cast<double>(std::ranges::count(best, true));
  const double share_of_best = static_cast<double>(best_values.size()) / best_count;
  const double share_of_all =
      static_cast<double>(all_values.size()) / static_cast<double>(observed.size());
  return share_of_best * share_of_best / share_of_all *
         pearson_divergence(grid_density(dimension, best_values),
                            grid_density(dimension, all_values));
}

}  // namespace

std::vector<double> importances(const Domain& domain, std::span<const Observation> observations,
                                const ImportanceOptions& options) {
  check(domain);
  Observed observed;
  for (const Observation& one : observations)
    if (one.outcome == Outcome::complete) observed.push_back(&one);
  check(domain, observed, options);
  const std::size_t dimensions = domain.dimensions.size();
  std::vector<double> shares(dimensions, 0.0);
  if (observed.size() >= 2) {
    const double wanted = std::ceil(options.best_share * static_cast<double>(observed.size()));
    const auto best =
        best_of(observed, losses_of(observed, options), static_cast<std::size_t>(wanted));
    for (std::size_t i = 0; i < dimensions; ++i)
      shares[i] = importance_of(domain.dimensions[i], i, observed, best);
  }
  double sum = 0;
  for (const double share : shares) sum += share;
  for (double& share : shares) share = sum > 0 ? share / sum : 1 / static_cast<double>(dimensions);
  return shares;
}

}  // namespace quantsearch
