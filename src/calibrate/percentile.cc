// Percentile: the range that contains p percent of the values. A symmetric range contains p percent
// of |x|; for an asymmetric range half of the rest is cut off on each side. The quantile is
// interpolated inside a bin, so that the result does not depend on the bin width in jumps.

#include <algorithm>
#include <span>

#include "calibrate/quantization_error.h"
#include "calibrate/range_methods.h"

namespace quantsearch {

namespace {

/// Position, in bins from the start of `counts`, below which `target` of the values lie.
double quantile_position(std::span<const double> counts, double target) {
  double below = 0;
  double last_filled_end = 0;
  for (std::size_t bin = 0; bin < counts.size(); ++bin) {
    if (counts[bin] == 0) continue;
    if (below + counts[bin] >= target)
      return static_cast<double>(bin) + std::max(0.0, target - below) / counts[bin];
    below += counts[bin];
    last_filled_end = static_cast<double>(bin + 1);
  }
  return last_filled_end;
}

std::vector<double> magnitude_counts(const Histogram& histogram) {
  std::vector<double> counts(histogram.positive.size());
  for (std::size_t bin = 0; bin < counts.size(); ++bin) {
    counts[bin] = static_cast<double>(histogram.positive[bin] + histogram.negative[bin]);
  }
  return counts;
}

std::vector<double> counts_upwards(const Histogram& histogram) {
  std::vector<double> counts(histogram.negative.rbegin(), histogram.negative.rend());
  counts.insert(counts.end(), histogram.positive.begin(), histogram.positive.end());
  return counts;
}

}  // namespace

Range percentile_range(const TensorStatistics& statistics, double percentile, bool symmetric) {
  const Histogram& histogram = statistics.histogram;
  const auto count = static_cast<double>(statistics.count);
  Range range;
  if (symmetric) {
    range.high = quantile_position(magnitude_counts(histogram), percentile / 100 * count) *
                 histogram.bin_width();
    range.low = -range.high;
  } else {
    const double cut = (100 - percentile) / 200 * count;
    std::vector<double> counts = counts_upwards(histogram);
    const auto bins = static_cast<double>(histogram.negative.size());
    // Each end is computed from its own side, so that small shares keep their precision and a cut
    // of 0 gives the extreme itself.
    range.low = (quantile_position(counts, cut) - bins) * histogram.bin_width();
    std::reverse(counts.begin(), counts.end());
    range.high = (bins - quantile_position(counts, cut)) * histogram.bin_width();
  }
  return clamped_to_observed(range, statistics);
}

Range layer_wise_percentile_range(const TensorStatistics& statistics, const RangeOptions& options,
                                  bool symmetric) {
  const Density density(statistics);
  const IntegerLimits limits =
      integer_limits(options.type, options.symmetric_quantization, options.reduce_range);
  const auto error_of = [&](const Range& range) {
    const ScaleZeroPoint params =
        scale_for(range, options.type, options.symmetric_quantization, options.reduce_range);
    return options.percentile_metric == PercentileMetric::mae
               ? mean_absolute_error(density, params, limits)
               : mean_squared_error(density, params, limits);
  };
  // The range that clips nothing is always a candidate; of equal errors the first in the caller's
  // order wins.
  Range best = percentile_range(statistics, 100, symmetric);
  double best_error = error_of(best);
  for (auto candidate = options.percentile_candidates.rbegin();
       candidate != options.percentile_candidates.rend(); ++candidate) {
    const Range range = percentile_range(statistics, *candidate, symmetric);
    const double error = error_of(range);
    if (error <= best_error) {
      best = range;
      best_error = error;
    }
  }
  return best;
}

}  // namespace quantsearch
