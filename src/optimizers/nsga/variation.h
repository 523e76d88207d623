#pragma once

// How a child is made of two parents: simulated binary crossover and polynomial mutation of what
// has an order, exchange and redraw of mere names.

#include <vector>

#include "optimizers/axis.h"
#include "quantsearch/base/random.h"

namespace quantsearch {

/// Two numbers of [0, 1] spread around both parents as single-point crossover would spread the bits
/// of binary numbers (Deb & Agrawal 1995), in its bounded form (Deb, Pratap, Agarwal & Meyarivan
/// 2002, the authors' program): none leaves [0, 1]. One of them, at random. `u` is uniform in
/// [0, 1), `upper` says which.
[[nodiscard]] double simulated_binary(double one, double other, double spread_index, double u,
                                      bool upper);

/// A number of [0, 1] near `value` (Deb & Goyal 1996, bounded form); `u` is uniform in [0, 1), 0.5
/// leaves it alone.
[[nodiscard]] double polynomial_mutation(double value, double spread_index, double u);

class Variation {
 public:
  /// The axes outlive this.
  explicit Variation(const std::vector<Axis>& axes);

  /// Parents are canonical points. A dimension that is active in one of them only is that one's;
  /// in neither: drawn anew, for canonical() may wake it. `strength`: expected number of mutated
  /// dimensions. Not canonical yet.
  [[nodiscard]] Coordinates child(const Coordinates& one, const Coordinates& other, double strength,
                                  RandomStream& random) const;

 private:
  [[nodiscard]] double cross(std::size_t dimension, double one, double other,
                             RandomStream& random) const;
  [[nodiscard]] double mutate(const Axis& axis, double coordinate, RandomStream& random) const;

  const std::vector<Axis>& axes_;
  double free_dimensions_ = 0;  // of more than one value
};

}  // namespace quantsearch
