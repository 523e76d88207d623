#include "optimizers/gp/kernel.h"

namespace quantsearch::gp {

Eigen::VectorXd slot_scales(const Hyperparameters& parameters,
                            const std::vector<Eigen::Index>& dimension_of) {
  Eigen::VectorXd scales(static_cast<Eigen::Index>(dimension_of.size()));
  for (Eigen::Index slot = 0; slot < scales.size(); ++slot) {
    scales[slot] =
        std::sqrt(parameters.inverse_squared_lengths[dimension_of[static_cast<std::size_t>(slot)]]);
  }
  return scales;
}

Eigen::MatrixXd squared_distances(const Eigen::MatrixXd& left, const Eigen::MatrixXd& right) {
  // |x|^2 + |y|^2 - 2 x.y is a matrix product. Its rounding error (1e-16 of q) is negligible for a
  // kernel that is smooth in q.
  Eigen::MatrixXd squared = -2 * left.transpose() * right;
  squared.colwise() += left.colwise().squaredNorm().transpose();
  squared.rowwise() += right.colwise().squaredNorm();
  return squared.cwiseMax(0.0);
}

KernelValues matern(const Eigen::MatrixXd& squared_distance, double amplitude) {
  const Eigen::ArrayXXd r = (5 * squared_distance.array()).sqrt();
  const Eigen::ArrayXXd decay = amplitude * (-r).exp();
  return {.value = (1 + r + 5.0 / 3 * squared_distance.array()) * decay,
          .slope = -5.0 / 6 * (1 + r) * decay};
}

Eigen::MatrixXd matern_values(const Eigen::MatrixXd& squared_distance, double amplitude) {
  const Eigen::ArrayXXd r = (5 * squared_distance.array()).sqrt();
  return ((1 + r + 5.0 / 3 * squared_distance.array()) * (amplitude * (-r).exp())).matrix();
}

}  // namespace quantsearch::gp
