#include "optimizers/cma/learning_rates.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "optimizers/cma/symmetric.h"

namespace quantsearch {

namespace {

constexpr double kTargetSignal = 1.4;  // alpha
constexpr double kRateChange = 0.1;    // gamma

}  // namespace

CmaLearningRates::CmaLearningRates(Eigen::Index dimensions)
    : mean_{.decay = 0.1, .average = Eigen::MatrixXd::Zero(dimensions, 1)},
      covariance_{.decay = 0.03, .average = Eigen::MatrixXd::Zero(dimensions, dimensions)} {}

/// Equations 11-20 of the paper: moving averages of the change and of its squared length give the
/// signal-to-noise ratio, and the rate is moved to where the ratio is alpha * rate.
void CmaLearningRates::Signal::see(const Eigen::MatrixXd& change) {
  average = (1 - decay) * average + decay * change;
  power = (1 - decay) * power + decay * change.squaredNorm();
  const double signal = average.squaredNorm();
  const double noise = power - signal;
  if (noise <= 0) return;  // nothing has changed so far
  const double ratio = (signal - decay / (2 - decay) * power) / noise;
  const double relative = std::clamp(ratio / (kTargetSignal * rate) - 1, -1.0, 1.0);
  rate = std::min(1.0, rate * std::exp(std::min(kRateChange * rate, decay) * relative));
}

void CmaLearningRates::damp(const CmaGaussian& before, CmaGaussian& after) {
  const Eigen::Index dimensions = after.dimensions();
  if (dimensions == 0) return;
  const Eigen::MatrixXd inverse_root = before.inverse_root() / before.sigma;
  const Eigen::MatrixXd full_before = before.sigma * before.sigma * before.covariance;
  const Eigen::VectorXd move = after.mean - before.mean;
  const Eigen::MatrixXd reshaping = after.sigma * after.sigma * after.covariance - full_before;

  const double old_mean_rate = mean_.rate;
  mean_.see(inverse_root * move);
  covariance_.see(inverse_root * reshaping * inverse_root / std::numbers::sqrt2);

  after.mean = before.mean + mean_.rate * move;
  const Eigen::MatrixXd full = full_before + covariance_.rate * reshaping;
  double log_determinant = 0;
  for (const double value : symmetric_axes(full).values)
    log_determinant += std::log(std::max(value, 1e-300));
  const double sigma = std::exp(log_determinant / (2 * static_cast<double>(dimensions)));
  after.covariance = full / (sigma * sigma);
  after.sigma = sigma * old_mean_rate / mean_.rate;
  after.decompose();
}

}  // namespace quantsearch
