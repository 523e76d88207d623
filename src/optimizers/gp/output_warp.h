#pragma once

// Objectives as a Gaussian process likes them: zero mean, unit variance, no heavy upper tail. The
// tail is drawn in by ln(1 + u / t), u the distance to the least value in units of the median's: of
// little effect below t, logarithmic above. Which t, the likelihood says (a warped Gaussian
// process, Snelson et al. 2003), by the derivative that warp() reports.

#include <Eigen/Core>

namespace quantsearch::gp {

/// 0: no warp; level 1, 2, ...: t = 3.2, 1, 0.32, 0.1, ...
inline constexpr int kWarpLevels = 9;

struct Warped {
  Eigen::VectorXd values;       // standardised
  Eigen::VectorXd derivatives;  // of the warp at each of them
  double log_jacobian = 0;      // sum of ln derivatives: to be added to a log likelihood
};
/// `values`: at least one, finite.
[[nodiscard]] Warped warp(const Eigen::VectorXd& values, int level);

/// Values without a warp, and what zero became.
struct Standardized {
  Eigen::VectorXd values;
  double zero = 0;
  double scale = 1;  // one unit of the values is 1 / scale of what was observed
};
[[nodiscard]] Standardized standardize(const Eigen::VectorXd& values);

}  // namespace quantsearch::gp
