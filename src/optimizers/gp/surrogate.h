#pragma once

// The outputs' posteriors and the acquisition over them, as one function of points.

#include <memory>
#include <vector>

#include "optimizers/gp/acquisition.h"
#include "optimizers/gp/lbfgs.h"
#include "optimizers/gp/model.h"

namespace quantsearch::gp {

class Surrogate {
 public:
  /// Objectives first, then constraints; only the first may have several scenarios.
  Surrogate(std::vector<Posterior> outputs, std::unique_ptr<const Acquisition> acquisition)
      : outputs_(std::move(outputs)), acquisition_(std::move(acquisition)) {}

  /// Of each column of [slots, points].
  [[nodiscard]] Eigen::VectorXd worth(const Eigen::MatrixXd& features) const;
  /// Upper bounds of it, from the means alone: linear in the observations instead of quadratic.
  [[nodiscard]] Eigen::VectorXd bounds(const Eigen::MatrixXd& features) const;
  /// At one point, with its gradient by the slots.
  [[nodiscard]] Evaluation worth_at(const Eigen::VectorXd& features) const;

 private:
  std::vector<Posterior> outputs_;
  std::unique_ptr<const Acquisition> acquisition_;
};

}  // namespace quantsearch::gp
