#pragma once

// Combines the posteriors of the outputs and the acquisition into one function of points.

#include <memory>
#include <vector>

#include "optimizers/gp/acquisition.h"
#include "optimizers/gp/lbfgs.h"
#include "optimizers/gp/model.h"

namespace quantsearch::gp {

class Surrogate {
 public:
  /// `outputs`: objectives first, then constraints; only the first output may have several
  /// scenarios.
  Surrogate(std::vector<Posterior> outputs, std::unique_ptr<const Acquisition> acquisition)
      : outputs_(std::move(outputs)), acquisition_(std::move(acquisition)) {}

  /// Returns the worth of each column of [slots, points].
  [[nodiscard]] Eigen::VectorXd worth(const Eigen::MatrixXd& features) const;
  /// Returns upper bounds of the worth, computed from the means alone, which takes time linear in
  /// the number of observations instead of quadratic.
  [[nodiscard]] Eigen::VectorXd bounds(const Eigen::MatrixXd& features) const;
  /// Returns the worth at one point and its gradient with respect to the slots.
  [[nodiscard]] Evaluation worth_at(const Eigen::VectorXd& features) const;

 private:
  std::vector<Posterior> outputs_;
  std::unique_ptr<const Acquisition> acquisition_;
};

}  // namespace quantsearch::gp
