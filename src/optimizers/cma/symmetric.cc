#include "optimizers/cma/symmetric.h"

#include <Eigen/Eigenvalues>

namespace quantsearch {

SymmetricAxes symmetric_axes(const Eigen::MatrixXd& matrix) {
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(matrix);
  return {.axes = solver.eigenvectors(), .values = solver.eigenvalues()};
}

}  // namespace quantsearch
