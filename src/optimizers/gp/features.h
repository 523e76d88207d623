#pragma once

// Encodes points as columns of numbers on which a Gaussian process uses the Euclidean distance, so
// that its kernel is positive definite for all kinds of dimensions. A numeric dimension is one
// number on the unit axis; a category has one slot for each choice (two different choices are at
// distance 1, the Hamming distance). A dimension without effect has a fixed value.

#include <Eigen/Core>
#include <vector>

#include "optimizers/axis.h"

namespace quantsearch::gp {

class FeatureMap {
 public:
  explicit FeatureMap(const std::vector<Axis>& axes);

  /// Number of dimensions that have a length scale: those with more than one value.
  [[nodiscard]] Eigen::Index dimensions() const { return dimensions_; }
  [[nodiscard]] Eigen::Index slots() const {
    return static_cast<Eigen::Index>(dimension_of_.size());
  }
  /// The dimension of each slot.
  [[nodiscard]] const std::vector<Eigen::Index>& dimension_of() const { return dimension_of_; }
  /// The slot of a numeric axis or the first slot of a category; -1 where an axis has only one
  /// value.
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
