// Entropy calibration after Migacz 2017 ("8-bit Inference with TensorRT"): of all thresholds T = i
// w it chooses the one whose quantized distribution Q differs least from the distribution P of all
// values,
//
//   KL(P || Q) = sum_j P_j log(P_j / Q_j),   P_j = h_j / N over every bin, including those above T,
//   Q_j = (1 - e) (sum of h over j's level; for the last level plus everything clipped to T)
//                 / (non-empty bins of the level) / N + e / (bins)        below T,
//   Q_j = e / (bins)                                                      above T.
//
// The paper moves clipped values into the last bin of P and scales Q to the values inside, so that
// clipping costs almost nothing and T is far too small for most tensors. Here a clipped value stays
// in its bin, where only the share e that smooths Q accounts for it. Exact zeros are left out,
// because every scale represents them (half of the values after a Relu would otherwise pull T
// towards 0). The boundaries of the levels are floor(l i / L), so that no level holds the remainder
// of i / L. Q is constant over the non-empty bins of a level, so a threshold costs O(L) with
// cumulative sums.

#include <algorithm>
#include <cmath>

#include "calibrate/range_methods.h"

namespace quantsearch {

namespace {

/// The share e, measured on resnet8, mobilenet_s and tinyvit; see docs/decisions/0004.
constexpr double kSmoothed = 1e-5;

/// Cumulative sums over the bins of |x|; entry k covers the bins below k.
struct Cumulative {
  std::vector<double> count = {0};
  std::vector<double> filled_bins = {0};
  std::size_t end = 0;  // one past the last bin that is not empty
};

Cumulative accumulate(const Histogram& histogram) {
  Cumulative sums;
  for (std::size_t bin = 0; bin < histogram.positive.size(); ++bin) {
    const std::uint64_t here =
        histogram.positive[bin] + histogram.negative[bin] - (bin == 0 ? histogram.zeros : 0);
    sums.count.push_back(sums.count.back() + static_cast<double>(here));
    sums.filled_bins.push_back(sums.filled_bins.back() + (here > 0 ? 1 : 0));
    if (here > 0) sums.end = bin + 1;
  }
  return sums;
}

/// N times KL(P || Q), without the entropy of P, which is the same for all thresholds.
double divergence(const Cumulative& sums, std::size_t bins, std::size_t levels) {
  const double total = sums.count.back();
  const double clipped = total - sums.count[bins];
  const double smoothed = kSmoothed / static_cast<double>(sums.end);
  double result = clipped > 0 ? -clipped * std::log(smoothed) : 0;
  for (std::size_t level = 0; level < levels; ++level) {
    const std::size_t begin = level * bins / levels;
    const std::size_t end = (level + 1) * bins / levels;
    const double held = sums.count[end] - sums.count[begin];
    if (held == 0) continue;
    const double filled = sums.filled_bins[end] - sums.filled_bins[begin];
    const double mass = held + (level + 1 == levels ? clipped : 0);
    result -= held * std::log((1 - kSmoothed) * mass / filled / total + smoothed);
  }
  return result;
}

/// Number of levels of the type for magnitudes: all of them when the values lie on one side of 0
/// and the zero point may move, else half.
std::size_t levels_of(const TensorStatistics& statistics, const RangeOptions& options) {
  if (options.quantized_bins) return static_cast<std::size_t>(*options.quantized_bins);
  const IntegerLimits limits =
      integer_limits(options.type, options.symmetric_quantization, options.reduce_range);
  const std::int64_t levels = limits.high - limits.low + 1;
  const bool one_sided = statistics.min >= 0 || statistics.max <= 0;
  const bool all = one_sided && !options.symmetric_quantization;
  return static_cast<std::size_t>(all ? levels : (levels + 1) / 2);
}

}  // namespace

Range entropy_range(const TensorStatistics& statistics, const RangeOptions& options) {
  const Cumulative sums = accumulate(statistics.histogram);
  // When every bin has a level of its own, as with 16 bits, every threshold below the widest one
  // only clips.
  const std::size_t levels =
      std::min(levels_of(statistics, options), statistics.histogram.positive.size());
  const std::size_t widest = std::max(sums.end, levels);
  std::size_t best = widest;
  double least = divergence(sums, widest, levels);
  // The order is downwards, so that of equal divergences the widest range wins.
  for (std::size_t bins = widest; bins-- > levels;) {
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
