// Entropy calibration (Migacz 2017, "8-bit Inference with TensorRT"): of all thresholds T = i w,
// the one whose clipped distribution P and its merger Q into L levels differ least,
//
//   KL(P || Q) = sum_j P_j log(P_j / Q_j),   P_j = h_j / N (the last bin also holds all that is
//   clipped), Q_j = (sum of h over j's level) / (non-empty bins of the level) / (sum of h below i).
//
// Q is constant over the non-empty bins of a level, so with cumulative sums of h and h log h a
// candidate costs O(L) instead of O(i). We differ from the paper in two points: exact zeros are
// left out, because every scale represents them (half of the values after a Relu would otherwise
// pull T towards 0); levels have boundaries floor(l i / L), so none holds the remainder of i / L.

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "calibrate/range_methods.h"

namespace quantsearch {

namespace {

/// Cumulative over the bins of |x|; entry k is of the bins below k.
struct Cumulative {
  std::vector<double> count;
  std::vector<double> count_log_count;
  std::vector<double> filled_bins;
  std::size_t end = 0;  // one past the last bin that is not empty
};

double x_log_x(double x) { return x > 0 ? x * std::log(x) : 0; }

Cumulative accumulate(const Histogram& histogram) {
  Cumulative sums{.count = {0}, .count_log_count = {0}, .filled_bins = {0}, .end = 0};
  for (std::size_t bin = 0; bin < histogram.positive.size(); ++bin) {
    const std::uint64_t here =
        histogram.positive[bin] + histogram.negative[bin] - (bin == 0 ? histogram.zeros : 0);
    const auto count = static_cast<double>(here);
    sums.count.push_back(sums.count.back() + count);
    sums.count_log_count.push_back(sums.count_log_count.back() + x_log_x(count));
    sums.filled_bins.push_back(sums.filled_bins.back() + (count > 0 ? 1 : 0));
    if (count > 0) sums.end = bin + 1;
  }
  return sums;
}

/// Number of non-zero values times KL(P || Q), without the terms that all thresholds share.
double divergence(const Cumulative& sums, std::size_t bins, std::size_t levels) {
  const double inside = sums.count[bins];
  const double clipped = sums.count.back() - inside;
  const double last = inside - sums.count[bins - 1];
  const double end_was_empty = last == 0 && clipped > 0 ? 1 : 0;
  if (inside == 0) return std::numeric_limits<double>::infinity();
  double result = sums.count_log_count[bins] - x_log_x(last) + x_log_x(last + clipped) +
                  sums.count.back() * std::log(inside);
  for (std::size_t level = 0; level < levels; ++level) {
    const std::size_t begin = level * bins / levels;
    const std::size_t end = (level + 1) * bins / levels;
    const bool is_last = level + 1 == levels;
    const double held = sums.count[end] - sums.count[begin];
    const double mass = held + (is_last ? clipped : 0);
    if (mass == 0) continue;
    if (held == 0) return std::numeric_limits<double>::infinity();
    const double filled =
        sums.filled_bins[end] - sums.filled_bins[begin] + (is_last ? end_was_empty : 0);
    result -= mass * std::log(held / filled);
  }
  return result;
}

}  // namespace

Range entropy_range(const TensorStatistics& statistics, const RangeOptions& options) {
  const Cumulative sums = accumulate(statistics.histogram);
  const auto levels = static_cast<std::size_t>(options.quantized_bins);
  std::size_t best = std::max(sums.end, levels);
  double least = divergence(sums, best, levels);
  // Downwards, so that of equal divergences the widest range wins.
  for (std::size_t bins = best; bins-- > levels;) {
    const double here = divergence(sums, bins, levels);
    if (here < least) {
      least = here;
      best = bins;
    }
  }
  const double threshold = static_cast<double>(best) * statistics.histogram.bin_width();
  return clamped_to_observed({.low = -threshold, .high = threshold}, statistics);
}

}  // namespace quantsearch
