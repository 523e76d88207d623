#pragma once

// Makes a child from two parents: simulated binary crossover and polynomial mutation of ordered
// dimensions, exchange and redraw of categories without an order.

#include <vector>

#include "optimizers/axis.h"
#include "quantsearch/base/random.h"

namespace quantsearch {

/// Simulated binary crossover of two numbers in [0, 1], which spreads children around both parents
/// as single-point crossover would spread the bits of binary numbers (Deb & Agrawal 1995). The
/// bounded form (Deb, Pratap, Agarwal & Meyarivan 2002, the authors' program) keeps children within
/// [0, 1]. Returns one of two children: `upper` selects it, `u` is uniform in [0, 1).
[[nodiscard]] double simulated_binary(double one, double other, double spread_index, double u,
                                      bool upper);

/// Returns a number in [0, 1] near `value` (Deb & Goyal 1996, bounded form). `u` is uniform in [0,
/// 1); 0.5 returns `value`.
[[nodiscard]] double polynomial_mutation(double value, double spread_index, double u);

class Variation {
 public:
  /// The axes must outlive this object.
  explicit Variation(const std::vector<Axis>& axes);

  /// Returns a child of two canonical points, which is not yet canonical itself. A dimension that
  /// is active in only one parent is inherited from it; one that is inactive in both is drawn at
  /// random, because canonical() may activate it. `strength`: expected number of mutated
  /// dimensions.
  [[nodiscard]] Coordinates child(const Coordinates& one, const Coordinates& other, double strength,
                                  RandomStream& random) const;

 private:
  [[nodiscard]] double cross(std::size_t dimension, double one, double other,
                             RandomStream& random) const;
  [[nodiscard]] double mutate(const Axis& axis, double coordinate, RandomStream& random) const;

  const std::vector<Axis>& axes_;
  double free_dimensions_ = 0;  // number of dimensions with more than one value
};

}  // namespace quantsearch
