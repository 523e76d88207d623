// Power-of-two scale with the least mean squared error. The candidates are Quark's five: 2, 1, 1/2,
// 1/4 and 1/8 times the min-max scale rounded to the nearest power of two; of equal errors the
// larger scale wins. With asymmetric quantization and a scale too small for the whole range, the
// zero point determines where values are clipped, so it is searched too (Quark does not support
// this case and silently uses another method).

#include <algorithm>
#include <cmath>
#include <limits>

#include "calibrate/quantization_error.h"
#include "calibrate/range_methods.h"

namespace quantsearch {

namespace {

constexpr int kLargestShift = 1;    // 2^1 times the start scale
constexpr int kSmallestShift = -3;  // 2^-3
constexpr int kZeroPointSteps = 16;

struct Candidate {
  ScaleZeroPoint params;
  double error = std::numeric_limits<double>::infinity();
};

/// The range whose scale is exactly params.scale, with every rounding of scales to powers of two.
Range range_of(const ScaleZeroPoint& params, const IntegerLimits& limits,
               bool symmetric_quantization) {
  const double scale = params.scale;
  if (symmetric_quantization) {
    const double half = static_cast<double>(limits.high - limits.low) / 2 * scale;
    return {.low = -half, .high = half};
  }
  return {.low = static_cast<double>(limits.low - params.zero_point) * scale,
          .high = static_cast<double>(limits.high - params.zero_point) * scale};
}

class PowerOfTwoMse {
 public:
  PowerOfTwoMse(const TensorStatistics& statistics, const RangeOptions& options)
      : options_(options),
        density_(statistics),
        limits_(integer_limits(options.type, options.symmetric_quantization, options.reduce_range)),
        observed_{.low = std::min(static_cast<double>(statistics.min), 0.0),
                  .high = std::max(static_cast<double>(statistics.max), 0.0)},
        start_(scale_for(observed_, options.type, options.symmetric_quantization,
                         options.reduce_range, PowerOfTwoRounding::nearest)) {}

  [[nodiscard]] Range best() const {
    Candidate best;
    for (int shift = kLargestShift; shift >= kSmallestShift; --shift) {
      const float scale = std::ldexp(start_.scale, shift);
      if (scale < std::numeric_limits<float>::min()) break;
      const Candidate candidate = best_with(scale);
      if (candidate.error < best.error) best = candidate;
    }
    return range_of(best.params, limits_, options_.symmetric_quantization);
  }

 private:
  [[nodiscard]] Candidate candidate(float scale, std::int64_t zero_point) const {
    const ScaleZeroPoint params{.scale = scale, .zero_point = zero_point};
    return {.params = params, .error = mean_squared_error(density_, params, limits_)};
  }

  [[nodiscard]] Candidate best_with(float scale) const {
    if (options_.symmetric_quantization) return candidate(scale, start_.zero_point);
    // The zero points that map the low end, and the high end, of the observed values to the last
    // integer.
    const double for_low = static_cast<double>(limits_.low) - observed_.low / scale;
    const double for_high = static_cast<double>(limits_.high) - observed_.high / scale;
    const auto clamped = [&](double zero_point) {
      return static_cast<std::int64_t>(std::nearbyint(std::clamp(
          zero_point, static_cast<double>(limits_.low), static_cast<double>(limits_.high))));
    };
    if (for_low <= for_high) return candidate(scale, start_.zero_point);  // all values fit
    return best_between(scale, clamped(for_high), clamped(for_low));
  }

  /// Searches the zero points in [first, last] with ever finer steps.
  [[nodiscard]] Candidate best_between(float scale, std::int64_t first, std::int64_t last) const {
    Candidate best = candidate(scale, std::clamp(start_.zero_point, first, last));
    while (true) {
      const std::int64_t step = std::max<std::int64_t>(1, (last - first) / kZeroPointSteps);
      for (std::int64_t zero_point = first; zero_point <= last; zero_point += step) {
        const Candidate here = candidate(scale, zero_point);
        if (here.error < best.error) best = here;
      }
      if (step == 1) return best;
      first = std::max(first, best.params.zero_point - step);
      last = std::min(last, best.params.zero_point + step);
    }
  }

  const RangeOptions& options_;
  Density density_;
  IntegerLimits limits_;
  Range observed_;
  ScaleZeroPoint start_;
};

}  // namespace

Range power_of_two_min_mse_range(const TensorStatistics& statistics, const RangeOptions& options) {
  if (statistics.min == 0 && statistics.max == 0) return {};
  return PowerOfTwoMse(statistics, options).best();
}

}  // namespace quantsearch
