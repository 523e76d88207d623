#include "optimizers/gp/likelihood.h"

#include <Eigen/Cholesky>
#include <cmath>
#include <limits>
#include <numbers>

namespace quantsearch::gp {

namespace {

/// Returns sum_ij weights_ij delta_ij^2 of every slot, which for symmetric weights is 2 (sum_i
/// x_i^2 (W 1)_i - x^T W x).
Eigen::VectorXd weighted_squares(const Eigen::MatrixXd& features, const Eigen::MatrixXd& weights) {
  const Eigen::VectorXd sums = weights.rowwise().sum();
  const Eigen::MatrixXd mixed = features * weights;
  return 2 * (features.array().square().matrix() * sums -
              (mixed.array() * features.array()).rowwise().sum().matrix());
}

}  // namespace

Hyperparameters from_logarithms(const Eigen::VectorXd& logarithms) {
  const Eigen::Index dimensions = logarithms.size() - 2;
  return {.inverse_squared_lengths = logarithms.head(dimensions).array().exp().matrix(),
          .amplitude = std::exp(logarithms[dimensions]),
          .noise = std::exp(logarithms[dimensions + 1])};
}

Prior prior_of(Eigen::Index dimensions, bool noise_is_fitted) {
  constexpr double kLeastNoise = 1e-8;  // keeps the covariance positive definite
  const Eigen::Index count = dimensions + 2;
  Prior prior{.mean = Eigen::VectorXd(count),
              .level_deviation = 2,
              .spread = 1,
              .degrees_of_freedom = 4,
              .other_deviation = {1.5, 2},
              .low = Eigen::VectorXd(count),
              .high = Eigen::VectorXd(count)};
  // ln length is about ln sqrt(d) - 1/2, ln rho = -2 ln length. This is shorter and narrower than
  // Hvarfner's N(sqrt(2) + ln sqrt(d), 3), under which few observations are fitted by a plane whose
  // lowest corner is proposed again and again.
  prior.mean.head(dimensions)
      .setConstant(1 - std::log(static_cast<double>(std::max<Eigen::Index>(1, dimensions))));
  prior.low.head(dimensions).setConstant(std::log(1e-5));
  prior.high.head(dimensions).setConstant(std::log(1e5));
  // The noise is small unless the observations clearly show it: with -8 and 3, few observations are
  // explained by noise alone.
  prior.mean.tail(2) << 0.5, -12;
  prior.low.tail(2) << std::log(1e-2), std::log(kLeastNoise);
  prior.high.tail(2) << std::log(1e4), noise_is_fitted ? std::log(2.0) : std::log(kLeastNoise);
  return prior;
}

Evaluation negative_log_likelihood(const Data& data, const Eigen::VectorXd& logarithms) {
  const Eigen::Index n = data.features.cols();
  const Eigen::Index dimensions = logarithms.size() - 2;
  const Hyperparameters parameters = from_logarithms(logarithms);
  const Eigen::MatrixXd scaled =
      slot_scales(parameters, data.dimension_of).asDiagonal() * data.features;
  const KernelValues kernel = matern(squared_distances(scaled, scaled), parameters.amplitude);

  Eigen::MatrixXd covariance = kernel.value.matrix();
  covariance.diagonal().array() += data.variances.array() + parameters.noise;
  const Eigen::LLT<Eigen::MatrixXd> factor(covariance);
  if (factor.info() != Eigen::Success) {
    return {.value = std::numeric_limits<double>::infinity(), .gradient = {}};
  }
  const Eigen::VectorXd weights = factor.solve(data.targets);
  Evaluation result{.value = 0.5 * data.targets.dot(weights) +
                             factor.matrixLLT().diagonal().array().log().sum() +
                             0.5 * static_cast<double>(n) * std::log(2 * std::numbers::pi),
                    .gradient = Eigen::VectorXd::Zero(logarithms.size())};
  // dL/dtheta = 1/2 tr((K^-1 - w w^T) dK/dtheta) of minus the log likelihood.
  Eigen::MatrixXd sensitivity = factor.solve(Eigen::MatrixXd::Identity(n, n));
  sensitivity.noalias() -= weights * weights.transpose();
  const Eigen::VectorXd by_slot =
      weighted_squares(scaled, (sensitivity.array() * kernel.slope).matrix());
  for (Eigen::Index slot = 0; slot < by_slot.size(); ++slot) {
    result.gradient[data.dimension_of[static_cast<std::size_t>(slot)]] += 0.5 * by_slot[slot];
  }
  result.gradient[dimensions] = 0.5 * (sensitivity.array() * kernel.value).sum();
  result.gradient[dimensions + 1] = 0.5 * parameters.noise * sensitivity.trace();
  return result;
}

Evaluation negative_log_prior(const Prior& prior, const Eigen::VectorXd& logarithms) {
  const Eigen::Index dimensions = logarithms.size() - 2;
  const Eigen::Array2d z =
      (logarithms - prior.mean).tail<2>().array() / prior.other_deviation.array();
  Evaluation result{.value = 0.5 * z.square().sum(),
                    .gradient = Eigen::VectorXd::Zero(logarithms.size())};
  result.gradient.tail<2>() = (z / prior.other_deviation.array()).matrix();
  if (dimensions == 0) return result;

  const auto count = static_cast<double>(dimensions);
  const double level = logarithms.head(dimensions).mean();
  // Variance of the mean of the logarithms: the variance of the level plus that of the mean of
  // `count` normal spreads.
  const double level_variance =
      prior.level_deviation * prior.level_deviation + prior.spread * prior.spread / count;
  const double excess = level - prior.mean.head(dimensions).mean();
  result.value += 0.5 * excess * excess / level_variance;

  const double freedom = prior.degrees_of_freedom;
  const Eigen::ArrayXd t = (logarithms.head(dimensions).array() - level) / prior.spread;
  result.value += 0.5 * (freedom + 1) * (t.square() / freedom).log1p().sum();
  const Eigen::ArrayXd pull = (freedom + 1) * t / (freedom + t.square()) / prior.spread;
  result.gradient.head(dimensions) =
      (pull - pull.mean() + excess / level_variance / count).matrix();
  return result;
}

Evaluation negative_log_posterior(const Data& data, const Prior& prior,
                                  const Eigen::VectorXd& logarithms) {
  Evaluation result = negative_log_likelihood(data, logarithms);
  if (!std::isfinite(result.value)) return result;
  const Evaluation belief = negative_log_prior(prior, logarithms);
  result.value += belief.value;
  result.gradient += belief.gradient;
  return result;
}

}  // namespace quantsearch::gp
