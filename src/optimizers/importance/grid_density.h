#pragma once

// The density of the values of one dimension on a grid of at most 50 cells, for PED-ANOVA.

#include <cstdint>
#include <span>
#include <vector>

#include "quantsearch/optimizers/domain.h"

namespace quantsearch {

/// Returns the number of cells of a dimension; 1 when it has a single value.
[[nodiscard]] std::int64_t grid_cells(const SearchDimension& dimension);

/// Returns the probability of every cell: a mixture of one kernel for each value and one for the
/// prior. Kernels are discrete normals truncated to the grid, with a common width by Scott's rule;
/// for categories nearly all of the mass is on the category itself. `values`: active ones, at least
/// one.
[[nodiscard]] std::vector<double> grid_density(const SearchDimension& dimension,
                                               std::span<const double> values);

}  // namespace quantsearch
