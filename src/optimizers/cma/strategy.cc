#include "optimizers/cma/strategy.h"

#include <algorithm>
#include <cmath>

namespace quantsearch {

namespace {

/// (sum w)^2 / sum w^2.
double mass(const Eigen::VectorXd& weights) {
  const double squares = weights.squaredNorm();
  return squares > 0 ? weights.sum() * weights.sum() / squares : 0;
}

/// Returns the largest absolute sum of the negative weights (equations 50-53).
double negative_sum(const CmaStrategy& strategy, double negative_mass) {
  if (strategy.dimensions == 0) return 0;
  const double c1 = strategy.rank_one_rate;
  const double cmu = strategy.rank_mu_rate;
  if (cmu <= 0) return 0;
  return std::min({1 + c1 / cmu, 1 + 2 * negative_mass / (strategy.parent_mass + 2),
                   (1 - c1 - cmu) / (static_cast<double>(strategy.dimensions) * cmu)});
}

void set_rates(CmaStrategy& strategy) {
  const double n = static_cast<double>(strategy.dimensions);
  const double mu = strategy.parent_mass;
  strategy.rank_one_rate = 2 / ((n + 1.3) * (n + 1.3) + mu);
  // The 1e-8 keeps a huge population from discarding the whole covariance.
  strategy.rank_mu_rate =
      std::min(1 - strategy.rank_one_rate - 1e-8, 2 * (mu - 2 + 1 / mu) / ((n + 2) * (n + 2) + mu));
  strategy.step_path_rate = (mu + 2) / (n + mu + 5);
  strategy.step_damping =
      1 + 2 * std::max(0.0, std::sqrt((mu - 1) / (n + 1)) - 1) + strategy.step_path_rate;
  if (strategy.dimensions == 0) return;
  strategy.path_rate = (4 + mu / n) / (n + 4 + 2 * mu / n);
  strategy.expected_length = std::sqrt(n) * (1 - 1 / (4 * n) + 1 / (21 * n * n));
}

}  // namespace

Eigen::Index default_population(Eigen::Index variables) {
  const double counted = static_cast<double>(std::max<Eigen::Index>(1, variables));
  return 4 + static_cast<Eigen::Index>(std::floor(3 * std::log(counted)));
}

CmaStrategy cma_strategy(Eigen::Index dimensions, Eigen::Index population) {
  CmaStrategy strategy;
  strategy.dimensions = dimensions;
  strategy.population = population;
  strategy.parents = population / 2;
  Eigen::VectorXd raw(population);
  for (Eigen::Index rank = 0; rank < population; ++rank) {
    raw[rank] =
        std::log(static_cast<double>(population + 1) / 2) - std::log(static_cast<double>(rank + 1));
  }
  strategy.parent_mass = mass(raw.head(strategy.parents));
  set_rates(strategy);

  const double positive = raw.cwiseMax(0).sum();
  const double negative = -raw.cwiseMin(0).sum();
  const double share = negative_sum(strategy, mass(raw.tail(population - strategy.parents)));
  strategy.weights = raw.cwiseMax(0) / positive;
  if (negative > 0) strategy.weights += raw.cwiseMin(0) * (share / negative);
  return strategy;
}

}  // namespace quantsearch
