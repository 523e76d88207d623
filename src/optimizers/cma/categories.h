#pragma once

// The product of categorical distributions of CatCMA (Hamano et al. 2024, arXiv 2405.09962; with
// margin 2025, arXiv 2504.07884): it moves along the natural gradient, with a step length that
// adapts to the signal (ASNG, Akimoto et al. 2019, arXiv 1905.08537).

#include <Eigen/Core>
#include <vector>

#include "optimizers/cma/strategy.h"
#include "quantsearch/base/random.h"

namespace quantsearch {

class CmaCategories {
 public:
  /// `shares`: for each dimension the probabilities of its categories, at least two, which sum to
  /// 1. `margin`: the least total probability of all categories of a dimension but one.
  CmaCategories(std::vector<Eigen::VectorXd> shares, double margin);

  /// Draws a category index for each dimension.
  [[nodiscard]] std::vector<int> draw(RandomStream& random) const;
  /// `chosen`: [population][dimensions], best first; -1 means unknown and has no effect.
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
  double free_ = 0;       // number of free parameters: sum of (categories - 1)
  double slowness_ = 1;   // Delta
  double step_ = 1;       // delta: length of the step, 1 / slowness of the last generation but one
  double path_mass_ = 0;  // gamma
  Eigen::VectorXd path_;  // s
};

}  // namespace quantsearch
