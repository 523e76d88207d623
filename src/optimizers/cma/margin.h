#pragma once

// The margin of stepped dimensions. Without it the deviation soon falls below a step and the value
// never changes again. This is CMA-ES with margin (Hamano et al. 2022, arXiv 2205.13482) in the
// form of CatCMA with margin (2025, arXiv 2504.07884): with integer centering before an update, and
// with mutation rates that may grow only where a mutation was selected.

#include <Eigen/Core>
#include <optional>
#include <vector>

#include "optimizers/cma/gaussian.h"
#include "optimizers/cma/grid.h"
#include "optimizers/cma/strategy.h"

namespace quantsearch {

class CmaMargin {
 public:
  /// `grids`: [dimensions of the distribution], nullopt for real numbers. `share`: the least
  /// probability of leaving the value of the mean, in (0, 0.5).
  CmaMargin(std::vector<std::optional<CmaGrid>> grids, double share);

  /// Moves parents that left the value of the mean to the middle of their cell, and moves the other
  /// parents in the opposite direction so that the mean is not biased. `points`: [dimensions,
  /// population], best first.
  void center(const CmaGaussian& gaussian, const CmaStrategy& strategy, Eigen::MatrixXd& points);
  /// Adjusts mean and stretch after an update so that every stepped dimension can still change.
  void correct(CmaGaussian& gaussian);

  [[nodiscard]] const std::vector<std::optional<CmaGrid>>& grids() const { return grids_; }

 private:
  struct Stepped {
    Eigen::Index dimension = 0;
    double mutation_rate = 0.5;   // upper bound, unless a mutation was selected
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
