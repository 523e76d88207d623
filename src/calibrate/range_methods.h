#pragma once

// One function per range method; choose_range() checks the options and calls them. Precondition:
// the statistics contain at least one value.

#include "quantsearch/calibrate.h"

namespace quantsearch {

[[nodiscard]] Range min_max_range(const TensorStatistics& statistics, const RangeOptions& options);
[[nodiscard]] Range percentile_range(const TensorStatistics& statistics, double percentile,
                                     bool symmetric);
[[nodiscard]] Range entropy_range(const TensorStatistics& statistics, const RangeOptions& options);
[[nodiscard]] Range layer_wise_percentile_range(const TensorStatistics& statistics,
                                                const RangeOptions& options, bool symmetric);
[[nodiscard]] Range min_mse_range(const TensorStatistics& statistics, const RangeOptions& options);
[[nodiscard]] Range power_of_two_min_mse_range(const TensorStatistics& statistics,
                                               const RangeOptions& options);

/// The smallest symmetric range that contains `range`.
[[nodiscard]] Range symmetric(const Range& range);
/// The range, cut to the observed values.
[[nodiscard]] Range clamped_to_observed(const Range& range, const TensorStatistics& statistics);

}  // namespace quantsearch
