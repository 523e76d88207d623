#pragma once

// Points as columns of numbers in which a Gaussian process measures plain Euclidean distance, so
// that its kernel is positive definite whatever the kinds of dimensions are: a numeric dimension is
// one number on the unit axis, a category one slot of each choice (two different choices are at
// distance 1, the Hamming distance). A dimension without effect stands at one fixed place.

#include <Eigen/Core>
#include <vector>

#include "optimizers/axis.h"

namespace quantsearch::gp {

class FeatureMap {
 public:
  explicit FeatureMap(const std::vector<Axis>& axes);

  /// Dimensions that have a length scale: those of more than one value.
  [[nodiscard]] Eigen::Index dimensions() const { return dimensions_; }
  [[nodiscard]] Eigen::Index slots() const {
    return static_cast<Eigen::Index>(dimension_of_.size());
  }
  /// Of each slot.
  [[nodiscard]] const std::vector<Eigen::Index>& dimension_of() const { return dimension_of_; }
  /// The slot of a numeric axis, the first of a category; -1 where an axis has one value only.
  [[nodiscard]] Eigen::Index first_slot(std::size_t axis) const { return first_slot_[axis]; }

  /// [slots]
  [[nodiscard]] Eigen::VectorXd encode(const Coordinates& canonical) const;
  /// [slots, points]
  [[nodiscard]] Eigen::MatrixXd encode(const std::vector<Coordinates>& canonical) const;

 private:
  void write(const Coordinates& canonical, double* column) const;

  std::vector<Axis> axes_;
  std::vector<Eigen::Index> first_slot_;
  std::vector<Eigen::Index> dimension_of_;
  Eigen::Index dimensions_ = 0;
};

}  // namespace quantsearch::gp
