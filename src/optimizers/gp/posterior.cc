#include "optimizers/gp/model.h"
#include "quantsearch/base/error.h"

namespace quantsearch::gp {

namespace {

/// Factorises a covariance. When rounding has made it indefinite, noise is added until it is
/// positive definite.
Eigen::LLT<Eigen::MatrixXd> factorise(Eigen::MatrixXd covariance, double amplitude) {
  Eigen::LLT<Eigen::MatrixXd> factor(covariance);
  for (double jitter = 1e-10 * amplitude; factor.info() != Eigen::Success; jitter *= 10) {
    if (!(jitter < 1e6 * amplitude)) {
      throw InternalError("gp: the covariance of the observations is not finite");
    }
    covariance.diagonal().array() += jitter;
    factor.compute(covariance);
  }
  return factor;
}

constexpr double kLeastVariance = 1e-12;  // as a share of the amplitude; keeps logarithms finite

}  // namespace

Posterior::Posterior(const Eigen::MatrixXd& features, const std::vector<Eigen::Index>& dimension_of,
                     const Hyperparameters& parameters, const Eigen::MatrixXd& targets,
                     const Eigen::VectorXd& variances)
    : scales_(slot_scales(parameters, dimension_of)),
      scaled_(scales_.asDiagonal() * features),
      amplitude_(parameters.amplitude) {
  Eigen::MatrixXd covariance = matern_values(squared_distances(scaled_, scaled_), amplitude_);
  const Eigen::VectorXd noise = (variances.array() + parameters.noise).matrix();
  covariance.diagonal() += noise;
  factor_ = factorise(std::move(covariance), amplitude_);
  weights_ = factor_.solve(targets);
  fitted_ = targets - noise.asDiagonal() * weights_;  // K w = (K + N) w - N w
}

Posterior::Marginals Posterior::marginals(const Eigen::MatrixXd& features) const {
  const Eigen::MatrixXd scaled = scales_.asDiagonal() * features;
  Eigen::MatrixXd cross = matern_values(squared_distances(scaled_, scaled), amplitude_);
  Marginals result{.means = cross.transpose() * weights_, .variances = {}};
  factor_.matrixL().solveInPlace(cross);
  result.variances = (amplitude_ - cross.colwise().squaredNorm().transpose().array())
                         .max(kLeastVariance * amplitude_)
                         .matrix();
  return result;
}

Eigen::MatrixXd Posterior::means(const Eigen::MatrixXd& features) const {
  const Eigen::MatrixXd scaled = scales_.asDiagonal() * features;
  return matern_values(squared_distances(scaled_, scaled), amplitude_).transpose() * weights_;
}

Eigen::MatrixXd Posterior::covariance(const Eigen::MatrixXd& features) const {
  const Eigen::MatrixXd scaled = scales_.asDiagonal() * features;
  Eigen::MatrixXd cross = matern_values(squared_distances(scaled_, scaled), amplitude_);
  factor_.matrixL().solveInPlace(cross);
  return matern_values(squared_distances(scaled, scaled), amplitude_) - cross.transpose() * cross;
}

Posterior::Local Posterior::at(const Eigen::VectorXd& features) const {
  Local local;
  local.scaled = (scales_.array() * features.array()).matrix();
  const Eigen::ArrayXd squared =
      (scaled_.colwise() - local.scaled).colwise().squaredNorm().transpose().array();
  const Eigen::ArrayXd r = (5 * squared).sqrt();
  const Eigen::ArrayXd decay = amplitude_ * (-r).exp();
  const Eigen::VectorXd kernel = ((1 + r + 5.0 / 3 * squared) * decay).matrix();
  local.slope = -5.0 / 6 * (1 + r) * decay;
  local.means = weights_.transpose() * kernel;
  local.solved = factor_.solve(kernel);
  local.variance = std::max(amplitude_ - kernel.dot(local.solved), kLeastVariance * amplitude_);
  return local;
}

Eigen::VectorXd Posterior::gradient(const Local& local, const Eigen::VectorXd& by_means,
                                    double by_variance) const {
  // dk_i/dx = slope_i * 2 rho (x - x_i); variance = a - k^T K^-1 k.
  const Eigen::ArrayXd shares =
      ((weights_ * by_means).array() - 2 * by_variance * local.solved.array()) * local.slope;
  const Eigen::VectorXd pull = scaled_ * shares.matrix();
  return (2 * scales_.array() * (shares.sum() * local.scaled - pull).array()).matrix();
}

}  // namespace quantsearch::gp
