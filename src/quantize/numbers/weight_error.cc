// Computes the squared error of a scale without visiting every weight. The values are sorted once.
// All values that round to the same integer q form a run. With prefix sums S1 of x and S2 of x^2,
// and with d = (q - zero_point) * scale, the run from i to j contributes
//   sum (x - d)^2 = (S2[j] - S2[i]) - 2 d (S1[j] - S1[i]) + (j - i) d^2
// A candidate scale costs O(levels log values). A value at a rounding tie may belong to either run,
// because both integers are equally far. Small channels (a 3x3 depthwise filter has 9 weights) are
// summed directly, which is cheaper for them.

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <numeric>

#include "quantize/numbers/round_half.h"
#include "quantize/numbers/weight_ranges.h"

namespace quantsearch {

namespace {

double rounded(double value, const ScaleZeroPoint& params, const IntegerLimits& limits) {
  const auto zero_point = static_cast<double>(params.zero_point);
  const double low = static_cast<double>(limits.low) - zero_point;
  const double high = static_cast<double>(limits.high) - zero_point;
  return std::nearbyint(std::clamp(value / static_cast<double>(params.scale), low, high));
}

/// An integer whose order is that of the float: a negative number has all bits flipped, others the
/// sign alone.
std::uint32_t ordered_bits(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return bits ^ ((bits >> 31) != 0 ? 0xFFFFFFFFU : 0x80000000U);
}

/// Sorts by the digits of ordered_bits() from the lowest to the highest, which for thousands of
/// values takes a fifth of the time of std::sort.
void sort_by_digits(std::vector<float>& values) {
  constexpr unsigned kDigitBits = 11;
  constexpr std::uint32_t kDigits = 1U << kDigitBits;
  std::vector<float> sorted(values.size());
  for (unsigned shift = 0; shift < 32; shift += kDigitBits) {
    std::array<std::uint32_t, kDigits> places{};
    const auto digit = [shift](float value) {
      return ordered_bits(value) >> shift & (kDigits - 1);
    };
    for (const float value : values) ++places[digit(value)];
    std::exclusive_scan(places.begin(), places.end(), places.begin(), 0U);
    for (const float value : values) sorted[places[digit(value)]++] = value;
    values.swap(sorted);
  }
}

// With fewer values the digits' counters cost more than std::sort.
constexpr std::size_t kManyValues = 1024;

}  // namespace

SortedWeights::SortedWeights(std::vector<float> values) : values_(std::move(values)) {
  if (values_.size() < kManyValues) {
    std::sort(values_.begin(), values_.end());
  } else {
    sort_by_digits(values_);
  }
  sums_.reserve(values_.size() + 1);
  square_sums_.reserve(values_.size() + 1);
  sums_.push_back(0);
  square_sums_.push_back(0);
  for (const float value : values_) {
    const auto wide = static_cast<double>(value);
    sums_.push_back(sums_.back() + wide);
    square_sums_.push_back(square_sums_.back() + wide * wide);
  }
}

double SortedWeights::squared_error(const ScaleZeroPoint& params,
                                    const IntegerLimits& limits) const {
  // A level costs a binary search of about ten steps with one or two cache misses, and a value
  // costs one division. The break-even was near 4 values per level before the loop over values was
  // vectorized. The limit stays, because the two sums round differently.
  const auto levels = static_cast<std::size_t>(limits.high - limits.low + 1);
  return values_.size() <= 4 * levels ? error_by_value(params, limits)
                                      : error_by_level(params, limits);
}

double SortedWeights::error_by_value(const ScaleZeroPoint& params,
                                     const IntegerLimits& limits) const {
  const auto scale = static_cast<double>(params.scale);
  const auto low = static_cast<double>(limits.low - params.zero_point);
  const auto high = static_cast<double>(limits.high - params.zero_point);
  // The squares of a run are computed by a loop that vectorizes and added in their order.
  constexpr std::size_t kRun = 128;
  double squares[kRun];
  double error = 0;
  for (std::size_t begin = 0; begin < values_.size(); begin += kRun) {
    const std::size_t count = std::min(kRun, values_.size() - begin);
    const float* const values = values_.data() + begin;
    for (std::size_t at = 0; at < count; ++at) {
      const auto wide = static_cast<double>(values[at]);
      double steps = wide / scale;
      steps = steps < low ? low : steps;
      steps = steps > high ? high : steps;
      const double difference = wide - round_half_to_even(steps) * scale;
      squares[at] = difference * difference;
    }
    for (std::size_t at = 0; at < count; ++at) error += squares[at];
  }
  return error;
}

double SortedWeights::error_by_level(const ScaleZeroPoint& params,
                                     const IntegerLimits& limits) const {
  const auto scale = static_cast<double>(params.scale);
  const double highest = static_cast<double>(limits.high - params.zero_point);
  double error = 0;
  std::size_t begin = 0;
  while (begin < values_.size()) {
    const double level = rounded(static_cast<double>(values_[begin]), params, limits);
    std::size_t end = values_.size();
    if (level < highest) {
      const double boundary = (level + 0.5) * scale;
      const auto last = std::upper_bound(
          values_.begin() + static_cast<std::ptrdiff_t>(begin), values_.end(), boundary,
          [](double bound, float value) { return bound < static_cast<double>(value); });
      // The value at `begin` belongs to the run even when the boundary was rounded below it.
      end = std::max(begin + 1, static_cast<std::size_t>(last - values_.begin()));
    }
    const double centre = level * scale;
    error += (square_sums_[end] - square_sums_[begin]) - 2 * centre * (sums_[end] - sums_[begin]) +
             static_cast<double>(end - begin) * centre * centre;
    begin = end;
  }
  return error;
}

double SortedWeights::quantile(double share) const {
  const double position = share * static_cast<double>(values_.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  const std::size_t above = std::min(below + 1, values_.size() - 1);
  const double fraction = position - static_cast<double>(below);
  return static_cast<double>(values_[below]) * (1 - fraction) +
         static_cast<double>(values_[above]) * fraction;
}

}  // namespace quantsearch
