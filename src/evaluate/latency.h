#pragma once

#include <vector>

#include "quantsearch/evaluate.h"

namespace quantsearch {

/// Median, 10th and 90th percentile by linear interpolation between the sorted times (at least
/// one).
[[nodiscard]] Latency summarize_times(std::vector<double> milliseconds);

}  // namespace quantsearch
