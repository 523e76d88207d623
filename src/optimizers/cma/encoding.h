#pragma once

// Converts between the points of a domain and the draws of CMA-ES, which consist of a position on
// the unit axis of every numeric dimension and an index of every categorical one. Dimensions with
// one value are left out.

#include <Eigen/Core>
#include <optional>
#include <vector>

#include "optimizers/axis.h"
#include "optimizers/cma/grid.h"
#include "quantsearch/optimizers/domain.h"

namespace quantsearch {

/// A point as it was drawn.
struct CmaDraw {
  Eigen::VectorXd positions;    // [numbers], not rounded to the grid
  std::vector<int> categories;  // [names]; -1: unknown
};

class CmaEncoding {
 public:
  explicit CmaEncoding(const Domain& domain);

  [[nodiscard]] Eigen::Index numbers() const { return static_cast<Eigen::Index>(numbers_.size()); }
  [[nodiscard]] std::size_t names() const { return names_.size(); }
  [[nodiscard]] bool is_empty() const { return numbers_.empty() && names_.empty(); }
  /// [numbers]; nullopt for real numbers.
  [[nodiscard]] const std::vector<std::optional<CmaGrid>>& grids() const { return grids_; }
  /// Dimensions of the domain, [numbers] and [names].
  [[nodiscard]] const std::vector<std::size_t>& number_dimensions() const { return numbers_; }
  [[nodiscard]] const std::vector<std::size_t>& name_dimensions() const { return names_; }
  /// Number of categories of categorical dimension `name`.
  [[nodiscard]] int count(std::size_t name) const;
  /// Number of discrete dimensions: numbers on a grid and categorical ones.
  [[nodiscard]] Eigen::Index discrete() const;

  /// Returns the point of a draw, which is not yet canonical.
  [[nodiscard]] Coordinates point(const CmaDraw& draw) const;
  /// Returns a draw for a point that did not come from point(): grid values at their positions,
  /// inactive numbers at `mean`, inactive categories unknown.
  [[nodiscard]] CmaDraw draw(const Coordinates& point, const Eigen::VectorXd& mean) const;
  /// True when the positions are inside the box; stepped numbers always are.
  [[nodiscard]] bool is_inside(const Eigen::VectorXd& positions) const;
  [[nodiscard]] Eigen::VectorXd clipped(Eigen::VectorXd positions) const;

 private:
  std::vector<Axis> axes_;
  std::vector<std::size_t> numbers_;
  std::vector<std::size_t> names_;
  std::vector<std::optional<CmaGrid>> grids_;
  Coordinates fixed_;  // the first value of every dimension
};

}  // namespace quantsearch
