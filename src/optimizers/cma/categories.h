#pragma once

// The product of categorical distributions of CatCMA (Hamano et al. 2024, arXiv 2405.09962; with
// margin 2025, arXiv 2504.07884): moved along the natural gradient, with the step length adapted to
// the signal (ASNG, Akimoto et al. 2019, arXiv 1905.08537).

#include <Eigen/Core>
#include <vector>

#include "optimizers/cma/strategy.h"
#include "quantsearch/base/random.h"

namespace quantsearch {

class CmaCategories {
 public:
  /// Probabilities of each dimension's categories, each of at least two, summing to 1. `margin`:
  /// what all but one category of a dimension keep together.
  CmaCategories(std::vector<Eigen::VectorXd> shares, double margin);

  /// An index for each dimension.
  [[nodiscard]] std::vector<int> draw(RandomStream& random) const;
  /// `chosen` [population][dimensions], best first; -1: unknown, moves nothing.
  void update(const CmaStrategy& strategy, const std::vector<std::vector<int>>& chosen);

  [[nodiscard]] const std::vector<Eigen::VectorXd>& shares() const { return shares_; }

 private:
  [[nodiscard]] std::vector<Eigen::VectorXd> gradient(
      const CmaStrategy& strategy, const std::vector<std::vector<int>>& chosen) const;
  [[nodiscard]] Eigen::VectorXd in_fisher_metric(
      const std::vector<Eigen::VectorXd>& gradient) const;
  void adapt_step(const Eigen::VectorXd& direction);
  void keep_margin();

  std::vector<Eigen::VectorXd> shares_;  // q
  double margin_ = 0;
  double free_ = 0;       // numbers that may vary: sum of (categories - 1)
  double slowness_ = 1;   // Delta
  double step_ = 1;       // delta: length of the step, 1 / slowness of the last generation but one
  double path_mass_ = 0;  // gamma
  Eigen::VectorXd path_;  // s
};

}  // namespace quantsearch
