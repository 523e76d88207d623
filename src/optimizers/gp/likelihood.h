#pragma once

// The log marginal likelihood of a Gaussian process (Rasmussen & Williams 2006, eqs. 5.8 and 5.9)
// and the prior of its hyper-parameters.

#include <Eigen/Core>
#include <vector>

#include "optimizers/gp/kernel.h"
#include "optimizers/gp/lbfgs.h"

namespace quantsearch::gp {

/// Observations of one output.
struct Data {
  Eigen::MatrixXd features;                // [slots, observations]
  std::vector<Eigen::Index> dimension_of;  // of each slot
  Eigen::VectorXd targets;                 // approximately zero mean and unit variance
  Eigen::VectorXd variances;               // known variances of the targets
};

/// Takes the logarithms of rho of each dimension, of the amplitude and, last, of the noise.
[[nodiscard]] Hyperparameters from_logarithms(const Eigen::VectorXd& logarithms);

/// The prior of the logarithms. Those of the inverse squared lengths have a common level, which is
/// normal around a mean that falls with the number of dimensions (Hvarfner et al. 2024, arXiv
/// 2402.02229), and they spread around the level by Student's t. A few observations suffice to
/// estimate the level, whereas independent lengths would need many; yet one dimension may be far
/// from the level. Amplitude and noise are normal.
struct Prior {
  Eigen::VectorXd mean;  // of each logarithm
  double level_deviation = 0;
  double spread = 0;                // scale of Student's t, logarithms minus their level
  double degrees_of_freedom = 0;    // of Student's t
  Eigen::Vector2d other_deviation;  // of amplitude and noise
  Eigen::VectorXd low;              // bounds of the search
  Eigen::VectorXd high;
};
[[nodiscard]] Prior prior_of(Eigen::Index dimensions, bool noise_is_fitted);

/// Returns minus the log marginal likelihood and its gradient with respect to the logarithms. The
/// value is not finite where the covariance cannot be factorised.
[[nodiscard]] Evaluation negative_log_likelihood(const Data& data,
                                                 const Eigen::VectorXd& logarithms);
/// Returns minus the log density of the prior, up to a constant.
[[nodiscard]] Evaluation negative_log_prior(const Prior& prior, const Eigen::VectorXd& logarithms);
/// Returns minus the log posterior density of the hyper-parameters, up to a constant.
[[nodiscard]] Evaluation negative_log_posterior(const Data& data, const Prior& prior,
                                                const Eigen::VectorXd& logarithms);

}  // namespace quantsearch::gp
