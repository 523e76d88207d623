#pragma once

// Learning rate adaptation (LRA-CMA-ES, Nomura, Akimoto & Ono 2023, arXiv 2304.03473): when noise
// or many optima hide the signal of a generation, only a part of its update is applied, so that the
// signal-to-noise ratio stays constant for any objective.

#include <Eigen/Core>

#include "optimizers/cma/gaussian.h"

namespace quantsearch {

class CmaLearningRates {
 public:
  explicit CmaLearningRates(Eigen::Index dimensions);

  /// Reduces the step from `before` to `after`, which is one update, to a part of it.
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
