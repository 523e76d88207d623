#pragma once

// The normal distribution of CMA-ES over the numeric dimensions and its update by one generation
// (Hansen 2016, equations 38-47, with negative weights). The margin of stepped dimensions
// (margin.h) stretches single dimensions: a point is mean + sigma * stretch * y with y ~ N(0, C).

#include <Eigen/Core>
#include <vector>

#include "optimizers/cma/strategy.h"
#include "quantsearch/base/random.h"

namespace quantsearch {

class CmaGaussian {
 public:
  /// `covariance` [n, n] symmetric, positive definite.
  CmaGaussian(Eigen::VectorXd mean, double sigma, Eigen::MatrixXd covariance);

  /// Draws one point. Every draw takes the same number of values from the stream.
  [[nodiscard]] Eigen::VectorXd draw(RandomStream& random) const;
  /// Returns the length of C^-1/2 (point - mean) / (sigma * stretch).
  [[nodiscard]] double distance(const Eigen::VectorXd& point) const;
  /// Updates the distribution by one generation. `points`: [n, population], best first. With n = 0
  /// only the generation is counted.
  void update(const CmaStrategy& strategy, const Eigen::MatrixXd& points);

  [[nodiscard]] Eigen::Index dimensions() const { return mean.size(); }
  /// Standard deviation of dimension i, without the stretch.
  [[nodiscard]] double deviation(Eigen::Index i) const;
  /// B D^-1 B^T.
  [[nodiscard]] Eigen::MatrixXd inverse_root() const;
  /// Recomputes axes and lengths. Call it after changing `covariance`.
  void decompose();

  Eigen::VectorXd mean;
  double sigma = 1;
  Eigen::MatrixXd covariance;  // C
  Eigen::VectorXd stretch;     // A: 1 where there is no margin
  Eigen::VectorXd path;        // p_c
  Eigen::VectorXd step_path;   // p_sigma
  Eigen::MatrixXd axes;        // B: columns are eigenvectors of C
  Eigen::VectorXd lengths;     // D: square roots of the eigenvalues of C, ascending
  std::int64_t generation = 0;
};

}  // namespace quantsearch
