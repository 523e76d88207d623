#include <cmath>
#include <utility>

#include "optimizers/gp/model.h"

namespace quantsearch::gp {

namespace {

constexpr int kFirstIterations = 60;
constexpr int kNextIterations = 25;
// For targets of unit variance, such an observation carries no information.
constexpr double kGreatestVariance = 1e12;
constexpr double kRough = 1.4;  // ln rho: a length scale of half the axis

struct Fitted {
  Fit fit;
  // Minus the log posterior of the observed values, including the derivative of the warp.
  double cost = 0;
};

Fitted fit_at_level(const Series& series, const Prior& prior, const Eigen::VectorXd& start,
                    int level, int iterations) {
  const Data data = warped_data(series, level);
  const Minimum minimum =
      minimize([&](const Eigen::VectorXd& at) { return negative_log_posterior(data, prior, at); },
               start, prior.low, prior.high, {.iterations = iterations});
  const double jacobian = warp(series.values, level).log_jacobian;
  return {.fit = {.logarithms = minimum.at, .warp_level = level}, .cost = minimum.value - jacobian};
}

}  // namespace

Data warped_data(const Series& series, int level) {
  const Warped warped = warp(series.values, level);
  return {.features = series.features,
          .dimension_of = series.dimension_of,
          .targets = warped.values,
          .variances = (series.variances.array().sqrt() * warped.derivatives.array())
                           .square()
                           .min(kGreatestVariance)
                           .matrix()};
}

Fit fit(const Series& series, const FitOptions& options) {
  const Eigen::Index dimensions = series.dimension_of.empty() ? 0 : series.dimension_of.back() + 1;
  const Prior prior = prior_of(dimensions, options.noise_is_fitted);
  Eigen::VectorXd start = prior.mean;
  int level = 0;
  int iterations = kFirstIterations;
  if (options.previous != nullptr) {
    start = options.previous->logarithms;
    level = options.previous->warp_level;
    iterations = kNextIterations;
  }
  Fitted best = fit_at_level(series, prior, start, level, iterations);
  if (options.previous == nullptr) {
    // The likelihood of few observations often has two optima, one with long and one with short
    // length scales.
    start.head(dimensions).setConstant(kRough);
    Fitted other = fit_at_level(series, prior, start, level, iterations);
    if (other.cost < best.cost) best = std::move(other);
  }
  if (!options.is_warped) return best.fit;
  // Tries neighbouring warp levels as long as they improve, first upwards, then downwards.
  for (const int direction : {1, -1}) {
    for (int next = level + direction; next >= 0 && next < kWarpLevels; next += direction) {
      const Fitted other = fit_at_level(series, prior, best.fit.logarithms, next, kNextIterations);
      if (!(other.cost < best.cost)) break;
      best = other;
    }
    if (best.fit.warp_level != level) break;
  }
  return best.fit;
}

}  // namespace quantsearch::gp
