#pragma once

// Transforms objectives to a form that suits a Gaussian process: zero mean, unit variance, no heavy
// upper tail. The tail is compressed by ln(1 + u / t), where u is the distance to the least value
// in units of the median's distance; this has little effect below t and is logarithmic above. The
// likelihood selects t (a warped Gaussian process, Snelson et al. 2003), using the derivative that
// warp() returns.

#include <Eigen/Core>

namespace quantsearch::gp {

/// Number of warp levels. Level 0 is no warp; levels 1, 2, ... have t = 3.2, 1, 0.32, 0.1, ...
inline constexpr int kWarpLevels = 9;

struct Warped {
  Eigen::VectorXd values;       // standardised
  Eigen::VectorXd derivatives;  // of the warp at each of them
  double log_jacobian = 0;      // sum of ln derivatives, to be added to a log likelihood
};
/// `values` must be finite, and at least one.
[[nodiscard]] Warped warp(const Eigen::VectorXd& values, int level);

/// Standardised values without a warp, and the standardised zero.
struct Standardized {
  Eigen::VectorXd values;
  double zero = 0;
  double scale = 1;  // a difference of 1 in the observed values is 1 / scale here
};
[[nodiscard]] Standardized standardize(const Eigen::VectorXd& values);

}  // namespace quantsearch::gp
