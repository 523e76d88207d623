#include "optimizers/cma/restarts.h"

#include <algorithm>
#include <cmath>

namespace quantsearch {

namespace {

constexpr double kFlat = 1e-12;       // range of scores
constexpr double kStill = 1e-12;      // deviation, in units of the first sigma
constexpr double kDivergence = 1e4;   // deviation
constexpr double kDegenerate = 1e14;  // ratio of the deviations along the axes

}  // namespace

CmaStopTests::CmaStopTests(Eigen::Index dimensions, Eigen::Index population, double first_sigma)
    : window_(static_cast<std::size_t>(10 + (30 * dimensions + population - 1) / population)),
      scores_(2 * window_),
      first_sigma_(first_sigma) {}

void CmaStopTests::see(double best, double worst) {
  const std::size_t at = 2 * (seen_++ % window_);
  scores_[at] = best;
  scores_[at + 1] = worst;
}

bool CmaStopTests::is_flat() const {
  if (seen_ <= window_) return false;
  const auto [low, high] = std::ranges::minmax_element(scores_);
  return *high - *low < kFlat;
}

bool CmaStopTests::should_stop(const CmaGaussian& gaussian) const {
  if (is_flat()) return true;
  if (gaussian.dimensions() == 0) return false;
  const double sigma = gaussian.sigma;
  const Eigen::VectorXd variances = gaussian.covariance.diagonal();
  const double still = kStill * first_sigma_;
  if ((sigma * variances.array() < still).all() &&
      (sigma * gaussian.path.array().abs() < still).all())
    return true;
  if (sigma * gaussian.lengths.maxCoeff() > kDivergence) return true;
  const Eigen::VectorXd& mean = gaussian.mean;
  const Eigen::VectorXd moved = mean + 0.2 * sigma * variances.cwiseSqrt();
  if ((mean.array() == moved.array()).any()) return true;
  const Eigen::Index axis = gaussian.generation % gaussian.dimensions();
  const Eigen::VectorXd shifted =
      mean + 0.1 * sigma * gaussian.lengths[axis] * gaussian.axes.col(axis);
  if ((mean.array() == shifted.array()).all()) return true;
  return gaussian.lengths.maxCoeff() / gaussian.lengths.minCoeff() > kDegenerate;
}

void CmaRestartPlan::next(std::int64_t evaluations, RandomStream& random) {
  ++run_;
  if (kind_ == CmaOptions::Restarts::bipop) {
    next_bipop(evaluations, random);
  } else {
    population_ *= 2;
  }
}

/// The next run uses the regime that has spent fewer evaluations. Small populations are first *
/// (2^k)^(u^2), with u uniform (Hansen 2009, BI-population CMA-ES).
void CmaRestartPlan::next_bipop(std::int64_t evaluations, RandomStream& random) {
  (is_small_ ? spent_small_ : spent_large_) += evaluations;
  is_small_ = run_ > 1 && spent_small_ < spent_large_;
  if (!is_small_) {
    population_ = first_population_ << ++doublings_;
    return;
  }
  const double uniform = random.uniform();
  const double grown = std::pow(std::pow(2.0, doublings_), uniform * uniform);
  population_ =
      static_cast<Eigen::Index>(std::floor(static_cast<double>(first_population_) * grown));
}

}  // namespace quantsearch
