#pragma once

// The density of one dimension's values on a grid of at most 50, as PED-ANOVA compares it.

#include <cstdint>
#include <span>
#include <vector>

#include "quantsearch/optimizers/domain.h"

namespace quantsearch {

/// Cells a dimension is divided into, 1 when it has a single value.
[[nodiscard]] std::int64_t grid_cells(const SearchDimension& dimension);

/// Probability of every cell: a kernel per value (discrete normals truncated to the grid, of one
/// width by Scott's rule; for names nearly all on the name itself) and one for the prior. Values
/// are active ones, at least one.
[[nodiscard]] std::vector<double> grid_density(const SearchDimension& dimension,
                                               std::span<const double> values);

}  // namespace quantsearch
