#pragma once

// The margin of stepped dimensions: without it the deviation soon falls below a step and the value
// never changes again. CMA-ES with margin (Hamano et al. 2022, arXiv 2205.13482) in the form of
// CatCMA with margin (2025, arXiv 2504.07884): integer centering before an update, mutation rates
// that may grow only where a mutation was selected.

#include <Eigen/Core>
#include <optional>
#include <vector>

#include "optimizers/cma/gaussian.h"
#include "optimizers/cma/grid.h"
#include "optimizers/cma/strategy.h"

namespace quantsearch {

class CmaMargin {
 public:
  /// `grids` [dimensions of the distribution]: nullopt for real numbers. `share` in (0, 0.5): the
  /// least probability to leave the value of the mean.
  CmaMargin(std::vector<std::optional<CmaGrid>> grids, double share);

  /// Moves parents that left the mean's value into the middle of their cell, and balances the
  /// others so that the mean is not biased by it. `points` [dimensions, population], best first.
  void center(const CmaGaussian& gaussian, const CmaStrategy& strategy, Eigen::MatrixXd& points);
  /// After the update: moves mean and stretch so that every stepped dimension can still change.
  void correct(CmaGaussian& gaussian);

  [[nodiscard]] const std::vector<std::optional<CmaGrid>>& grids() const { return grids_; }

 private:
  struct Stepped {
    Eigen::Index dimension = 0;
    double mutation_rate = 0.5;   // at most, unless a mutation succeeded
    bool mutation_chosen = true;  // among the parents of the last generation
  };
  [[nodiscard]] Eigen::RowVectorXd centered(const CmaGaussian& gaussian, Stepped& stepped,
                                            Eigen::RowVectorXd parents) const;
  void correct_end(CmaGaussian& gaussian, Stepped& stepped, std::int64_t cell) const;
  void correct_inside(CmaGaussian& gaussian, Stepped& stepped, std::int64_t cell) const;
  [[nodiscard]] const CmaGrid& grid_of(const Stepped& stepped) const;

  std::vector<std::optional<CmaGrid>> grids_;
  std::vector<Stepped> stepped_;
  double share_ = 0;  // alpha
};

}  // namespace quantsearch
