#pragma once

#include <vector>

#include "quantsearch/evaluate.h"

namespace quantsearch {

/// Median, 10th and 90th percentile by linear interpolation between the sorted times (at least
/// one).
[[nodiscard]] Latency summarize_times(std::vector<double> milliseconds);

/// True when a measurement that has taken `elapsed` seconds for `runs` runs is long enough.
[[nodiscard]] bool has_run_enough(const LatencyOptions& options, double elapsed, int runs);

}  // namespace quantsearch
