#pragma once

// The constrained part of every acquisition.

#include <Eigen/Core>
#include <vector>

#include "optimizers/gp/acquisition.h"
#include "optimizers/gp/improvement.h"

namespace quantsearch::gp {

/// Adds the logarithms of the probabilities that the last outputs are below their limits.
inline void add_feasibility(Worth& worth, const Eigen::VectorXd& means,
                            const Eigen::VectorXd& variances, const std::vector<double>& limits) {
  const auto count = static_cast<Eigen::Index>(limits.size());
  for (Eigen::Index i = 0; i < count; ++i) {
    const Eigen::Index mean = means.size() - count + i;
    const Eigen::Index variance = variances.size() - count + i;
    const LogImprovement below = log_probability_below(means[mean], variances[variance],
                                                       limits[static_cast<std::size_t>(i)]);
    worth.value += below.value;
    worth.by_means[mean] += below.by_mean;
    worth.by_variances[variance] += below.by_variance;
  }
}

/// Upper bound of the log probability for any variance up to the given ones. Where the mean is
/// within its limit, the probability may be 1.
[[nodiscard]] inline double feasibility_bound(const Eigen::VectorXd& means,
                                              const Eigen::VectorXd& greatest_variances,
                                              const std::vector<double>& limits) {
  const auto count = static_cast<Eigen::Index>(limits.size());
  double bound = 0;
  for (Eigen::Index i = 0; i < count; ++i) {
    const double mean = means[means.size() - count + i];
    const double limit = limits[static_cast<std::size_t>(i)];
    if (mean <= limit) continue;
    const double variance = greatest_variances[greatest_variances.size() - count + i];
    bound += log_probability_below(mean, variance, limit).value;
  }
  return bound;
}

}  // namespace quantsearch::gp
