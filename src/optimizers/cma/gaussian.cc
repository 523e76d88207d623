#include "optimizers/cma/gaussian.h"

#include <algorithm>
#include <cmath>

#include "optimizers/cma/symmetric.h"

namespace quantsearch {

namespace {

constexpr double kAlmostZero = 1e-8;
constexpr double kLargestSigma = 1e32;
constexpr double kSmallestEigenvalue = 1e-30;

}  // namespace

CmaGaussian::CmaGaussian(Eigen::VectorXd start, double step, Eigen::MatrixXd shape)
    : mean(std::move(start)),
      sigma(step),
      covariance(std::move(shape)),
      stretch(Eigen::VectorXd::Ones(mean.size())),
      path(Eigen::VectorXd::Zero(mean.size())),
      step_path(Eigen::VectorXd::Zero(mean.size())) {
  decompose();
}

void CmaGaussian::decompose() {
  if (dimensions() == 0) return;
  SymmetricAxes solved = symmetric_axes(covariance);
  axes = std::move(solved.axes);
  lengths = solved.values.unaryExpr(
      [](double value) { return std::sqrt(value < 0 ? kAlmostZero : value); });
  if (solved.values[0] >= 0) return;
  covariance = axes * lengths.cwiseAbs2().asDiagonal() * axes.transpose();
}

Eigen::VectorXd CmaGaussian::draw(RandomStream& random) const {
  Eigen::VectorXd normal(dimensions());
  for (double& number : normal) number = random.normal();
  return mean + sigma * stretch.cwiseProduct(axes * lengths.cwiseProduct(normal));
}

double CmaGaussian::distance(const Eigen::VectorXd& point) const {
  const Eigen::VectorXd offset = (point - mean).cwiseQuotient(stretch) / sigma;
  return (axes.transpose() * offset).cwiseQuotient(lengths).norm();
}

double CmaGaussian::deviation(Eigen::Index i) const { return sigma * std::sqrt(covariance(i, i)); }

Eigen::MatrixXd CmaGaussian::inverse_root() const {
  return axes * lengths.cwiseInverse().asDiagonal() * axes.transpose();
}

void CmaGaussian::update(const CmaStrategy& strategy, const Eigen::MatrixXd& points) {
  ++generation;
  if (dimensions() == 0) return;
  const double n = static_cast<double>(dimensions());
  // [n, population], in units of sigma, ~ N(0, C)
  const Eigen::MatrixXd offsets =
      ((points.colwise() - mean).array().colwise() / stretch.array()).matrix() / sigma;
  // The same offsets ~ N(0, I), rotated to the axes of C; their lengths are those of C^-1/2 y.
  const Eigen::MatrixXd whitened =
      lengths.cwiseInverse().asDiagonal() * (axes.transpose() * offsets);

  const Eigen::VectorXd parents = strategy.weights.head(strategy.parents);
  const Eigen::VectorXd step = offsets.leftCols(strategy.parents) * parents;
  const Eigen::VectorXd white_step = axes * (whitened.leftCols(strategy.parents) * parents);
  mean += sigma * step;

  const double cs = strategy.step_path_rate;
  step_path = (1 - cs) * step_path + std::sqrt(cs * (2 - cs) * strategy.parent_mass) * white_step;
  const double length = step_path.norm();
  sigma *= std::exp(cs / strategy.step_damping * (length / strategy.expected_length - 1));
  sigma = std::min(sigma, kLargestSigma);

  const double settled =
      std::sqrt(1 - std::pow(1 - cs, 2.0 * (static_cast<double>(generation) + 1)));
  // h_sigma.
  const double moves = length / settled < (1.4 + 2 / (n + 1)) * strategy.expected_length ? 1 : 0;
  const double cc = strategy.path_rate;
  path = (1 - cc) * path + moves * std::sqrt(cc * (2 - cc) * strategy.parent_mass) * step;

  Eigen::VectorXd weights = strategy.weights;
  for (Eigen::Index rank = 0; rank < weights.size(); ++rank) {
    if (weights[rank] < 0) weights[rank] *= n / (whitened.col(rank).squaredNorm() + kAlmostZero);
  }
  const double c1 = strategy.rank_one_rate;
  const double cmu = strategy.rank_mu_rate;
  const double kept = 1 + c1 * (1 - moves) * cc * (2 - cc) - c1 - cmu * strategy.weights.sum();
  covariance = kept * covariance + c1 * path * path.transpose() +
               cmu * offsets * weights.asDiagonal() * offsets.transpose();
  covariance = (0.5 * (covariance + covariance.transpose())).eval();
  decompose();
  sigma = std::max(sigma, std::sqrt(kSmallestEigenvalue / lengths.minCoeff()));
}

}  // namespace quantsearch
