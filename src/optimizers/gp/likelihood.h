#pragma once

// How well hyper-parameters explain what was observed: the log marginal likelihood of a Gaussian
// process (Rasmussen & Williams 2006, eqs. 5.8 and 5.9) and the prior of its hyper-parameters.

#include <Eigen/Core>
#include <vector>

#include "optimizers/gp/kernel.h"
#include "optimizers/gp/lbfgs.h"

namespace quantsearch::gp {

/// Observations of one output.
struct Data {
  Eigen::MatrixXd features;                // [slots, observations]
  std::vector<Eigen::Index> dimension_of;  // of each slot
  Eigen::VectorXd targets;                 // about zero mean and unit variance
  Eigen::VectorXd variances;               // known ones, of the targets
};

/// Logarithms of rho of each dimension, of the amplitude and, last, of the noise.
[[nodiscard]] Hyperparameters from_logarithms(const Eigen::VectorXd& logarithms);

/// What is believed of the logarithms before anything was observed. Those of the inverse squared
/// lengths have a common level, normal around a mean that falls with the number of dimensions
/// (Hvarfner et al. 2024, arXiv 2402.02229), and spread around it by Student's t: few observations
/// find the level soon where a length each would take many, yet one dimension may be far off.
/// Amplitude and noise are normal.
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

/// Minus the log marginal likelihood, and its gradient by the logarithms. Not finite where the
/// covariance cannot be factorised.
[[nodiscard]] Evaluation negative_log_likelihood(const Data& data,
                                                 const Eigen::VectorXd& logarithms);
/// Minus the log density of the prior, but for a constant.
[[nodiscard]] Evaluation negative_log_prior(const Prior& prior, const Eigen::VectorXd& logarithms);
/// Of both: minus the log of the posterior density of the hyper-parameters, but for a constant.
[[nodiscard]] Evaluation negative_log_posterior(const Data& data, const Prior& prior,
                                                const Eigen::VectorXd& logarithms);

}  // namespace quantsearch::gp
