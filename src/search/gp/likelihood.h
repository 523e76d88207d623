#pragma once

// How well hyper-parameters explain what was observed: the log marginal likelihood of a Gaussian
// process (Rasmussen & Williams 2006, eqs. 5.8 and 5.9) and the prior of its hyper-parameters.

#include <Eigen/Core>
#include <vector>

#include "search/gp/kernel.h"
#include "search/gp/lbfgs.h"

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

/// Normal priors of the logarithms. Length scales grow with the root of the number of dimensions,
/// so that the prior belief in smoothness does not fade in many (Hvarfner et al. 2024, arXiv
/// 2402.02229).
struct Prior {
  Eigen::VectorXd mean;
  Eigen::VectorXd deviation;
  Eigen::VectorXd low;  // bounds of the search
  Eigen::VectorXd high;
};
[[nodiscard]] Prior prior_of(Eigen::Index dimensions, bool noise_is_fitted);

/// Minus the log marginal likelihood, and its gradient by the logarithms. Not finite where the
/// covariance cannot be factorised.
[[nodiscard]] Evaluation negative_log_likelihood(const Data& data,
                                                 const Eigen::VectorXd& logarithms);
/// With the prior.
[[nodiscard]] Evaluation negative_log_posterior(const Data& data, const Prior& prior,
                                                const Eigen::VectorXd& logarithms);

}  // namespace quantsearch::gp
