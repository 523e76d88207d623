#pragma once

// Nearest points of a lattice, approximately: Babai's nearest plane for many rows at once, K-best
// (beam) for one, coordinate descent behind either. All minimise (q - t) A (q - t)' over q = z s, z
// integer in [low, high] (ptq_methods 2.2; GPTQ run back to front is Babai's algorithm: Chen et al.
// 2025, arXiv 2507.18553).

#include <cstdint>
#include <span>
#include <vector>

#include "finetune/lattice.h"

namespace quantsearch::reconstruction {

/// The points of one row: z s with low <= z <= high. Pairs are safe by their codes, z + zero_point.
struct RowGrid {
  float scale = 1;
  float low = 0;
  float high = 0;
  float zero_point = 0;
};

/// A row to be solved: its target and its grid.
struct RowTask {
  std::span<const float> target;  // [k], in the lattice's order
  RowGrid grid;
};

struct RowResult {
  std::vector<std::int32_t> points;  // [k], z in the lattice's order
  double cost = 0;                   // (q - t) A (q - t)'
};

/// Babai's nearest plane for any number of rows, vectorised over rows.
[[nodiscard]] std::vector<RowResult> nearest_plane(const Lattice& lattice,
                                                   std::span<const RowTask> tasks);

/// Keeps the `beam` best partial rows at every step. With 1: nearest_plane of one row.
[[nodiscard]] RowResult k_best(const Lattice& lattice, const RowTask& task, int beam);

/// Passes over the inputs, last first, each moved to its best place while the others stay; the cost
/// never rises.
void polish(const Lattice& lattice, const RowTask& task, int passes, RowResult& row);

}  // namespace quantsearch::reconstruction
