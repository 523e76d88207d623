#pragma once

// Eigenvalues of symmetric matrices. They have a file of their own because the solver takes long to
// compile.

#include <Eigen/Core>

namespace quantsearch {

struct SymmetricAxes {
  Eigen::MatrixXd axes;    // columns
  Eigen::VectorXd values;  // ascending
};

/// Decomposes a symmetric matrix; only its lower half is read.
[[nodiscard]] SymmetricAxes symmetric_axes(const Eigen::MatrixXd& matrix);

}  // namespace quantsearch
