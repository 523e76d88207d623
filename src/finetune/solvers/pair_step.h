#pragma once

// One step of a solver over two paired inputs, which are neighbours in the lattice's order: the
// cost that the points of both add, and the safe pair that adds the least.

#include "finetune/solvers/code_pairs.h"
#include "finetune/solvers/nearest_plane.h"

namespace quantsearch::reconstruction {

/// The state of the solver before the upper one of two neighbours.
struct PairStep {
  float upper_target, lower_target;
  float upper_error, lower_error;        // e, before either point is chosen
  float upper_diagonal, lower_diagonal;  // of L
  float coupling;                        // L[upper][lower]

  /// The cost that the differences d = q - t of both add.
  [[nodiscard]] float cost(float upper_difference, float lower_difference) const {
    const float first = upper_error + upper_diagonal * upper_difference;
    const float second =
        lower_error + coupling * upper_difference + lower_diagonal * lower_difference;
    return first * first + second * second;
  }
};

/// The safe pair with the least cost, as points instead of codes.
[[nodiscard]] CodePair safe_points(const PairStep& step, const PairedInput& upper,
                                   const RowGrid& grid);

/// `grid` limited to the points that are safe together with this point of the partner.
[[nodiscard]] RowGrid grid_beside(const RowGrid& grid, const PairedInput& input,
                                  std::int32_t partner_point);

}  // namespace quantsearch::reconstruction
