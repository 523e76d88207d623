#include "optimizers/cma/encoding.h"

#include <algorithm>
#include <cmath>

namespace quantsearch {

CmaEncoding::CmaEncoding(const Domain& domain) : axes_(axes_of(domain)) {
  for (std::size_t dimension = 0; dimension < axes_.size(); ++dimension) {
    const Axis& axis = axes_[dimension];
    fixed_.push_back(axis.first());
    if (axis.is_single()) continue;
    // An order of two values carries no information (arXiv 2504.07884).
    if (axis.is_categorical() || axis.count() == 2) {
      names_.push_back(dimension);
      continue;
    }
    numbers_.push_back(dimension);
    grids_.push_back(axis.count() > 0 ? std::optional<CmaGrid>(axis) : std::nullopt);
  }
}

int CmaEncoding::count(std::size_t name) const {
  return static_cast<int>(axes_[names_[name]].count());
}

Eigen::Index CmaEncoding::discrete() const {
  return std::ranges::count_if(grids_, [](const auto& grid) { return grid.has_value(); }) +
         static_cast<Eigen::Index>(names_.size());
}

Coordinates CmaEncoding::point(const CmaDraw& draw) const {
  Coordinates point = fixed_;
  for (std::size_t number = 0; number < numbers_.size(); ++number) {
    const std::size_t dimension = numbers_[number];
    point[dimension] =
        axes_[dimension].from_unit(draw.positions[static_cast<Eigen::Index>(number)]);
  }
  for (std::size_t name = 0; name < names_.size(); ++name) {
    const Axis& axis = axes_[names_[name]];
    point[names_[name]] = axis.first() + draw.categories[name] * axis.step();
  }
  return point;
}

CmaDraw CmaEncoding::draw(const Coordinates& point, const Eigen::VectorXd& mean) const {
  CmaDraw draw{.positions = mean, .categories = std::vector<int>(names_.size(), -1)};
  for (std::size_t number = 0; number < numbers_.size(); ++number) {
    const double coordinate = point[numbers_[number]];
    if (is_active(coordinate)) {
      draw.positions[static_cast<Eigen::Index>(number)] =
          axes_[numbers_[number]].to_unit(coordinate);
    }
  }
  for (std::size_t name = 0; name < names_.size(); ++name) {
    const Axis& axis = axes_[names_[name]];
    const double coordinate = point[names_[name]];
    if (is_active(coordinate))
      draw.categories[name] =
          static_cast<int>(std::lround((coordinate - axis.first()) / axis.step()));
  }
  return draw;
}

bool CmaEncoding::is_inside(const Eigen::VectorXd& positions) const {
  for (std::size_t number = 0; number < numbers_.size(); ++number) {
    const double position = positions[static_cast<Eigen::Index>(number)];
    if (!grids_[number] && (position < 0 || position > 1)) return false;
  }
  return true;
}

Eigen::VectorXd CmaEncoding::clipped(Eigen::VectorXd positions) const {
  for (std::size_t number = 0; number < numbers_.size(); ++number) {
    double& position = positions[static_cast<Eigen::Index>(number)];
    if (!grids_[number]) position = std::clamp(position, 0.0, 1.0);
  }
  return positions;
}

}  // namespace quantsearch
