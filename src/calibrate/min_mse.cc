// Range with the least mean squared error (Choukroun et al. 2019, arXiv:1902.06822; Banner et al.
// 2019, arXiv:1810.05723):
//
//   argmin over (low, high) of  E[(x - x')^2]
//
// The error of a candidate range is computed from the density. A symmetric range has one parameter:
// it is searched over the factors 2^(-i/8) of the observed extreme (tails may be a thousand times
// wider than the bulk) and then in between. An asymmetric range starts from the best common factor,
// and then one end at a time is moved. The error is flat near its minimum, so steps of 2^(1/64),
// one percent, should be fine enough; this was not measured.

#include <algorithm>
#include <cmath>
#include <limits>

#include "calibrate/quantization_error.h"
#include "calibrate/range_methods.h"

namespace quantsearch {

namespace {

constexpr int kStepsPerOctave = 8;
constexpr int kFineSteps = 8;  // between two coarse steps
constexpr int kRounds = 2;     // over both ends; chosen, not measured

/// The factor in (0, 1] with the least error; of equal ones the largest. The search goes down to
/// 2^-octaves.
template <typename ErrorOf>
double best_factor(int octaves, const ErrorOf& error_of) {
  const auto factor = [](int fine) {
    return std::exp2(-static_cast<double>(fine) / (kStepsPerOctave * kFineSteps));
  };
  int best = 0;
  double least = std::numeric_limits<double>::infinity();
  const auto try_factor = [&](int fine) {
    const double error = error_of(factor(fine));
    if (error < least) {
      least = error;
      best = fine;
    }
  };
  for (int coarse = 0; coarse <= octaves * kStepsPerOctave; ++coarse)
    try_factor(coarse * kFineSteps);
  const int middle = best;
  for (int fine = std::max(0, middle - kFineSteps + 1); fine < middle + kFineSteps; ++fine) {
    if (fine != middle) try_factor(fine);
  }
  return factor(best);
}

class MinMse {
 public:
  MinMse(const TensorStatistics& statistics, const RangeOptions& options)
      : options_(options),
        density_(statistics),
        limits_(integer_limits(options.type, options.symmetric_quantization, options.reduce_range)),
        widest_{.low = std::min(static_cast<double>(statistics.min), 0.0),
                .high = std::max(static_cast<double>(statistics.max), 0.0)},
        // The smallest range is one bin wide, because the histogram has no finer resolution.
        octaves_(static_cast<int>(
            std::log2(std::max<std::size_t>(2, statistics.histogram.positive.size())))) {}

  [[nodiscard]] Range symmetric_range() const {
    return scaled(symmetric(widest_), best_factor(octaves_, [&](double factor) {
                    return error_of(scaled(symmetric(widest_), factor));
                  }));
  }

  [[nodiscard]] Range asymmetric_range() const {
    Range range = scaled(widest_, best_factor(octaves_, [&](double factor) {
                           return error_of(scaled(widest_, factor));
                         }));
    if (widest_.low == 0 || widest_.high == 0)
      return range;  // the common factor was the only parameter
    for (int round = 0; round < kRounds; ++round) {
      range = better(range, with_best_low(range));
      range = better(range, with_best_high(range));
    }
    return range;
  }

 private:
  [[nodiscard]] double error_of(const Range& range) const {
    return mean_squared_error(
        density_,
        scale_for(range, options_.type, options_.symmetric_quantization, options_.reduce_range),
        limits_);
  }

  static Range scaled(const Range& range, double factor) {
    return {.low = range.low * factor, .high = range.high * factor};
  }

  [[nodiscard]] Range better(const Range& old, const Range& candidate) const {
    return error_of(candidate) < error_of(old) ? candidate : old;
  }

  [[nodiscard]] Range with_best_low(const Range& range) const {
    const double factor = best_factor(octaves_, [&](double shrink) {
      return error_of({.low = widest_.low * shrink, .high = range.high});
    });
    return {.low = widest_.low * factor, .high = range.high};
  }

  [[nodiscard]] Range with_best_high(const Range& range) const {
    const double factor = best_factor(octaves_, [&](double shrink) {
      return error_of({.low = range.low, .high = widest_.high * shrink});
    });
    return {.low = range.low, .high = widest_.high * factor};
  }

  const RangeOptions& options_;
  Density density_;
  IntegerLimits limits_;
  Range widest_;
  int octaves_;
};

}  // namespace

Range min_mse_range(const TensorStatistics& statistics, const RangeOptions& options) {
  const MinMse search(statistics, options);
  const bool one_parameter =
      options.symmetric_quantization || options.symmetric_range.value_or(false);
  return one_parameter ? clamped_to_observed(search.symmetric_range(), statistics)
                       : search.asymmetric_range();
}

}  // namespace quantsearch
