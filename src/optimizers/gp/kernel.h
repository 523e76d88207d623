#pragma once

// Matern 5/2 with one length scale per dimension (Rasmussen & Williams 2006, eq. 4.17): k = a (1 +
// r + r^2 / 3) exp(-r), r = sqrt(5 q), q = sum_i rho_i delta_i^2, rho = 1 / length^2.

#include <Eigen/Core>
#include <vector>

namespace quantsearch::gp {

struct Hyperparameters {
  Eigen::VectorXd inverse_squared_lengths;  // [dimensions], rho
  double amplitude = 1;                     // variance of the process, a
  double noise = 1e-6;  // variance of an observation in addition to its known variance
};

/// Returns the square root of rho for each slot; features multiplied by these have the distance
/// sqrt(q).
[[nodiscard]] Eigen::VectorXd slot_scales(const Hyperparameters& parameters,
                                          const std::vector<Eigen::Index>& dimension_of);

/// Returns q of every pair of columns: [left columns, right columns]. The columns are already
/// scaled.
[[nodiscard]] Eigen::MatrixXd squared_distances(const Eigen::MatrixXd& left,
                                                const Eigen::MatrixXd& right);

/// k and dk/dq (finite at q = 0), elementwise.
struct KernelValues {
  Eigen::ArrayXXd value;
  Eigen::ArrayXXd slope;
};
[[nodiscard]] KernelValues matern(const Eigen::MatrixXd& squared_distance, double amplitude);
[[nodiscard]] Eigen::MatrixXd matern_values(const Eigen::MatrixXd& squared_distance,
                                            double amplitude);

}  // namespace quantsearch::gp
