#pragma once

// A Gaussian process for one output (an objective or a constraint): its hyper-parameters, which are
// fitted from time to time, and the posterior under them.

#include <Eigen/Cholesky>
#include <Eigen/Core>

#include "optimizers/gp/likelihood.h"
#include "optimizers/gp/output_warp.h"

namespace quantsearch::gp {

/// The observations of an output.
struct Series {
  Eigen::MatrixXd features;                // [slots, observations]
  std::vector<Eigen::Index> dimension_of;  // of each slot
  Eigen::VectorXd values;
  Eigen::VectorXd variances;  // known variances of the values
};

/// The result of a fit, from which the next fit starts.
struct Fit {
  Eigen::VectorXd logarithms;  // likelihood.h
  int warp_level = 0;
};
struct FitOptions {
  bool noise_is_fitted = true;
  bool is_warped = true;
  const Fit* previous = nullptr;  // the fit to start from; null: start from the prior
};
[[nodiscard]] Fit fit(const Series& series, const FitOptions& options);

/// Returns the data that the likelihood is computed from.
[[nodiscard]] Data warped_data(const Series& series, int level);

/// Posterior of one or several sets of targets (scenarios) at the same points.
class Posterior {
 public:
  /// `targets`: [observations, scenarios].
  Posterior(const Eigen::MatrixXd& features, const std::vector<Eigen::Index>& dimension_of,
            const Hyperparameters& parameters, const Eigen::MatrixXd& targets,
            const Eigen::VectorXd& variances);

  struct Marginals {
    Eigen::MatrixXd means;      // [points, scenarios]
    Eigen::VectorXd variances;  // [points], of the process, without noise
  };
  [[nodiscard]] Marginals marginals(const Eigen::MatrixXd& features) const;
  [[nodiscard]] Eigen::MatrixXd means(const Eigen::MatrixXd& features) const;
  /// Joint covariance of a few points.
  [[nodiscard]] Eigen::MatrixXd covariance(const Eigen::MatrixXd& features) const;
  /// Means at the observed points: [observations, scenarios].
  [[nodiscard]] const Eigen::MatrixXd& means_at_observations() const { return fitted_; }

  /// The posterior at one point, with the values that a gradient needs.
  struct Local {
    Eigen::VectorXd means;
    double variance = 0;
    Eigen::VectorXd scaled;  // [slots], scaled features of the point
    Eigen::ArrayXd slope;    // [observations], dk/dq
    Eigen::VectorXd solved;  // K^-1 k
  };
  [[nodiscard]] Local at(const Eigen::VectorXd& features) const;
  /// Returns the gradient of by_means . means + by_variance * variance with respect to the
  /// features.
  [[nodiscard]] Eigen::VectorXd gradient(const Local& local, const Eigen::VectorXd& by_means,
                                         double by_variance) const;
  [[nodiscard]] double amplitude() const { return amplitude_; }

 private:
  Eigen::VectorXd scales_;
  Eigen::MatrixXd scaled_;  // [slots, observations]
  double amplitude_ = 1;
  Eigen::LLT<Eigen::MatrixXd> factor_;
  Eigen::MatrixXd weights_;  // [observations, scenarios]
  Eigen::MatrixXd fitted_;
};

}  // namespace quantsearch::gp
