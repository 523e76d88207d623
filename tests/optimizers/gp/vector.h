#pragma once

// Vectors written in place.

#include <Eigen/Core>
#include <initializer_list>

namespace quantsearch::gp {

inline Eigen::VectorXd vector(std::initializer_list<double> values) {
  return Eigen::Map<const Eigen::VectorXd>(values.begin(),
                                           static_cast<Eigen::Index>(values.size()));
}

}  // namespace quantsearch::gp
