#include "optimizers/gp/features.h"

#include <cmath>
#include <numbers>

namespace quantsearch::gp {

namespace {

// Two choices differ in two slots: 1/2 + 1/2 = 1.
constexpr double kChosen = std::numbers::sqrt2 / 2;
constexpr double kInactiveUnit = 0.5;  // the middle, which is not far from any value

}  // namespace

FeatureMap::FeatureMap(const std::vector<Axis>& axes) : axes_(axes) {
  for (const Axis& axis : axes_) {
    if (axis.is_single()) {
      first_slot_.push_back(-1);
      continue;
    }
    first_slot_.push_back(slots());
    const std::int64_t own = axis.is_categorical() ? axis.count() : 1;
    dimension_of_.insert(dimension_of_.end(), static_cast<std::size_t>(own), dimensions_);
    ++dimensions_;
  }
}

void FeatureMap::write(const Coordinates& canonical, double* column) const {
  for (std::size_t i = 0; i < axes_.size(); ++i) {
    if (first_slot_[i] < 0) continue;
    const double coordinate = canonical[i];
    double* const own = column + first_slot_[i];
    if (axes_[i].is_categorical()) {
      std::fill_n(own, axes_[i].count(), 0.0);
      if (is_active(coordinate)) own[static_cast<std::size_t>(coordinate)] = kChosen;
    } else {
      *own = is_active(coordinate) ? axes_[i].to_unit(coordinate) : kInactiveUnit;
    }
  }
}

Eigen::VectorXd FeatureMap::encode(const Coordinates& canonical) const {
  Eigen::VectorXd column(slots());
  write(canonical, column.data());
  return column;
}

Eigen::MatrixXd FeatureMap::encode(const std::vector<Coordinates>& canonical) const {
  Eigen::MatrixXd columns(slots(), static_cast<Eigen::Index>(canonical.size()));
  for (std::size_t i = 0; i < canonical.size(); ++i) {
    write(canonical[i], columns.data() + static_cast<Eigen::Index>(i) * slots());
  }
  return columns;
}

}  // namespace quantsearch::gp
