#pragma once

// Fixed points for the reference values of the CMA-ES tests, which were computed with cmaes 0.13.1:
// that library was told the same points, best first.

#include <Eigen/Core>
#include <cmath>

namespace quantsearch {

/// Dimension i of the k-th best point of generation g.
inline double golden_position(Eigen::Index i, Eigen::Index k, int g) {
  return 0.5 +
         0.35 * std::sin(1.3 * static_cast<double>(i + 1) + 2.1 * static_cast<double>(k) + 0.7 * g);
}

inline Eigen::MatrixXd golden_points(Eigen::Index dimensions, Eigen::Index population, int g) {
  Eigen::MatrixXd points(dimensions, population);
  for (Eigen::Index k = 0; k < population; ++k) {
    for (Eigen::Index i = 0; i < dimensions; ++i) points(i, k) = golden_position(i, k, g);
  }
  return points;
}

/// The margin that CatCMA chooses.
inline double share_of(int discrete) { return 1 - std::pow(0.73, 1.0 / discrete); }

}  // namespace quantsearch
