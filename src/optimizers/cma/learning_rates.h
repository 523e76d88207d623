#pragma once

// Learning rate adaptation (LRA-CMA-ES, Nomura, Akimoto & Ono 2023, arXiv 2304.03473): where noise
// or many optima drown the signal of a generation, its update is taken only in part, so that the
// ratio of signal to noise stays the same whatever the objective.

#include <Eigen/Core>

#include "optimizers/cma/gaussian.h"

namespace quantsearch {

class CmaLearningRates {
 public:
  explicit CmaLearningRates(Eigen::Index dimensions);

  /// Takes back a part of the step from `before` to `after`, which is one update.
  void damp(const CmaGaussian& before, CmaGaussian& after);

  [[nodiscard]] double mean_rate() const { return mean_.rate; }
  [[nodiscard]] double covariance_rate() const { return covariance_.rate; }

 private:
  struct Signal {
    double decay = 0;         // beta
    Eigen::MatrixXd average;  // E
    double power = 0;         // V
    double rate = 1;          // eta
    void see(const Eigen::MatrixXd& change);
  };

  Signal mean_;
  Signal covariance_;
};

}  // namespace quantsearch
