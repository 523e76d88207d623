#pragma once

// Approximations of the nearest point of a lattice: Babai's nearest plane for many rows at once,
// K-best (beam) for one row, and coordinate descent after either. All minimize (q - t) A (q - t)'
// over q = z s with integer z in [low, high]; see docs/algorithms/gptq.md. GPTQ in reverse order of
// the inputs is Babai's algorithm (Chen et al. 2025, arXiv 2507.18553).

#include <cstdint>
#include <span>
#include <vector>

#include "finetune/solvers/lattice.h"

namespace quantsearch::reconstruction {

/// The points of one row: z s with low <= z <= high. Whether a pair is safe depends on its codes,
/// z + zero_point.
struct RowGrid {
  float scale = 1;
  float low = 0;
  float high = 0;
  float zero_point = 0;
};

/// A row to solve: its target and its grid.
struct RowTask {
  std::span<const float> target;  // [k], in the lattice's order
  RowGrid grid;
};

struct RowResult {
  std::vector<std::int32_t> points;  // [k], z in the lattice's order
  double cost = 0;                   // (q - t) A (q - t)'
};

/// Babai's nearest plane for any number of rows, vectorized over rows.
[[nodiscard]] std::vector<RowResult> nearest_plane(const Lattice& lattice,
                                                   std::span<const RowTask> tasks);

/// Keeps the `beam` best partial solutions at every step. With a beam of 1 it is nearest_plane() of
/// one row.
[[nodiscard]] RowResult k_best(const Lattice& lattice, const RowTask& task, int beam);

/// Runs passes over the inputs, last first, and moves each to its best point while the others stay.
/// The cost never rises.
void polish(const Lattice& lattice, const RowTask& task, int passes, RowResult& row);

}  // namespace quantsearch::reconstruction
