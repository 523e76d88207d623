#pragma once

// The constants of CMA-ES: recombination weights and learning rates, from the number of dimensions
// and the population (Hansen 2016, "The CMA Evolution Strategy: A Tutorial", arXiv 1604.00772,
// table 1 and equations 49-58).

#include <Eigen/Core>

namespace quantsearch {

struct CmaStrategy {
  Eigen::Index dimensions = 0;  // of the normal distribution
  Eigen::Index population = 0;  // lambda
  Eigen::Index parents = 0;     // mu: the better half, whose weights are positive
  Eigen::VectorXd weights;      // [population], best first; the positive ones sum to 1
  double parent_mass = 0;       // mu_eff
  double rank_one_rate = 0;     // c_1
  double rank_mu_rate = 0;      // c_mu
  double path_rate = 0;         // c_c
  double step_path_rate = 0;    // c_sigma
  double step_damping = 0;      // d_sigma
  double expected_length = 0;   // of a standard normal vector
};

/// 4 + floor(3 ln variables).
[[nodiscard]] Eigen::Index default_population(Eigen::Index variables);

/// `dimensions` >= 0 (0 when there are only categories), `population` >= 2.
[[nodiscard]] CmaStrategy cma_strategy(Eigen::Index dimensions, Eigen::Index population);

}  // namespace quantsearch
