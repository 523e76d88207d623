#include "optimizers/cma/grid.h"

#include <cmath>

namespace quantsearch {

std::int64_t CmaGrid::cell(double position) const {
  return std::llround((axis_.from_unit(position) - axis_.first()) / axis_.step());
}

double CmaGrid::value(std::int64_t index) const {
  return axis_.to_unit(axis_.first() + static_cast<double>(index) * axis_.step());
}

double CmaGrid::border(std::int64_t index) const {
  return axis_.to_unit(axis_.first() + (static_cast<double>(index) - 0.5) * axis_.step());
}

}  // namespace quantsearch
