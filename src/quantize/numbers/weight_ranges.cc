#include "quantize/numbers/weight_ranges.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

namespace quantsearch {

namespace {

Range min_max(const SortedWeights& weights) {
  if (weights.empty()) return {};
  return {.low = weights.quantile(0), .high = weights.quantile(1)};
}

Range shrunk(const Range& range, double factor) {
  return {.low = range.low * factor, .high = range.high * factor};
}

/// Keeps the best of the ranges offered. The first wins a tie, so candidates are offered in order
/// of preference.
class BestRange {
 public:
  BestRange(const SortedWeights& weights, const WeightOptions& options)
      : weights_(weights),
        options_(options),
        limits_(integer_limits(options.type, options.symmetric, options.reduce_range)) {}

  void offer(const Range& range) {
    const double error = weights_.squared_error(weight_scale(range, options_), limits_);
    if (found_ && !(error < error_)) return;
    found_ = true;
    error_ = error;
    best_ = range;
  }
  [[nodiscard]] const Range& best() const { return best_; }

 private:
  const SortedWeights& weights_;
  const WeightOptions& options_;
  IntegerLimits limits_;
  bool found_ = false;
  double error_ = 0;
  Range best_;
};

/// The best of the min-max range and smaller ranges: first factors in steps of 1/50 down to 1/5
/// (one outlier in a thousand normal weights needs about 1/2, heavier tails need less), then in
/// steps of 1/500 around the best. Power-of-two scales have few candidates: the rounded min-max
/// scale, twice that scale (the scale may have been rounded down, which clips the largest weights)
/// and a half, a quarter and an eighth of it.
Range least_squares(const SortedWeights& weights, const WeightOptions& options) {
  const Range widest = min_max(weights);
  BestRange search(weights, options);
  search.offer(widest);
  if (options.power_of_two) {
    for (const double factor : {2.0, 0.5, 0.25, 0.125}) search.offer(shrunk(widest, factor));
    return search.best();
  }
  double best_factor = 1;
  for (int step = 49; step >= 10; --step) {
    const Range before = search.best();
    search.offer(shrunk(widest, step / 50.0));
    if (!(search.best() == before)) best_factor = step / 50.0;
  }
  for (int step = -9; step <= 9; ++step) {
    const double factor = best_factor + step / 500.0;
    if (step != 0 && factor < 1) search.offer(shrunk(widest, factor));
  }
  return search.best();
}

/// The best two-sided percentile, with half of the rest on each side. The range of all values is
/// offered first, so that it wins ties.
Range best_percentile(const SortedWeights& weights, const WeightOptions& options) {
  BestRange search(weights, options);
  for (const double percentile : {100.0, 99.9999, 99.999, 99.99, 99.9}) {
    const double rest = (1 - percentile / 100) / 2;
    search.offer({.low = weights.quantile(rest), .high = weights.quantile(1 - rest)});
  }
  return search.best();
}

Range channel_range(const SortedWeights& weights, const WeightOptions& options) {
  if (weights.empty()) return {};
  switch (options.range) {
    case WeightRange::min_max:
      return min_max(weights);
    case WeightRange::mse:
      return least_squares(weights, options);
    case WeightRange::percentile:
      return best_percentile(weights, options);
  }
  return {};
}

std::vector<float> channel_values(std::span<const float> values, const ChannelLayout& layout,
                                  std::int64_t channel) {
  std::vector<float> gathered;
  gathered.reserve(static_cast<std::size_t>(layout.outer * layout.inner));
  for (std::int64_t outer = 0; outer < layout.outer; ++outer) {
    const auto run =
        values.subspan(static_cast<std::size_t>((outer * layout.channels + channel) * layout.inner),
                       static_cast<std::size_t>(layout.inner));
    gathered.insert(gathered.end(), run.begin(), run.end());
  }
  return gathered;
}

std::vector<Range> min_max_ranges(std::span<const float> values, const ChannelLayout& layout) {
  std::vector<Range> ranges(static_cast<std::size_t>(layout.channels));
  if (layout.outer == 0 || layout.inner == 0) return ranges;
  for (std::size_t channel = 0; channel < ranges.size(); ++channel) {
    const auto first =
        static_cast<double>(values[channel * static_cast<std::size_t>(layout.inner)]);
    ranges[channel] = {.low = first, .high = first};
  }
  std::size_t begin = 0;
  for (std::int64_t outer = 0; outer < layout.outer; ++outer) {
    for (Range& range : ranges) {
      float low = values[begin];
      float high = low;
      for (const float value : values.subspan(begin, static_cast<std::size_t>(layout.inner))) {
        low = value < low ? value : low;
        high = value > high ? value : high;
      }
      begin += static_cast<std::size_t>(layout.inner);
      range.low = std::min(range.low, static_cast<double>(low));
      range.high = std::max(range.high, static_cast<double>(high));
    }
  }
  return ranges;
}

}  // namespace

ChannelLayout channel_layout(const Shape& shape, int axis) {
  if (axis == -1) return {.outer = 1, .channels = 1, .inner = element_count(shape)};
  if (axis < 0 || static_cast<std::size_t>(axis) >= shape.size()) {
    throw InvalidInput(fmt::format(
        "quantize: channel axis {} of a weight of shape {}, expected -1 or an axis below {}", axis,
        to_string(shape), shape.size()));
  }
  const auto at = shape.begin() + axis;
  return {.outer = element_count(Shape(shape.begin(), at)),
          .channels = *at,
          .inner = element_count(Shape(at + 1, shape.end()))};
}

PowerOfTwoRounding scale_rounding(const WeightOptions& options) {
  if (options.power_of_two) return options.power_of_two_rounding;
  return options.int16_scale ? PowerOfTwoRounding::int16_ratio : PowerOfTwoRounding::none;
}

PowerOfTwoRounding scale_rounding(const QuantizeOptions& options) {
  if (options.power_of_two) return options.power_of_two_rounding;
  return options.int16_scale ? PowerOfTwoRounding::int16_ratio : PowerOfTwoRounding::none;
}

ScaleZeroPoint weight_scale(const Range& range, const WeightOptions& options) {
  return scale_for(range, options.type, options.symmetric, options.reduce_range,
                   scale_rounding(options));
}

std::vector<Range> find_weight_ranges(const Tensor& weight, const WeightOptions& options) {
  const ChannelLayout layout = channel_layout(weight.shape(), options.axis);
  const auto values = weight.values<float>();
  if (options.range == WeightRange::min_max) return min_max_ranges(values, layout);
  std::vector<Range> ranges;
  ranges.reserve(static_cast<std::size_t>(layout.channels));
  for (std::int64_t channel = 0; channel < layout.channels; ++channel) {
    ranges.push_back(
        channel_range(SortedWeights(channel_values(values, layout, channel)), options));
  }
  return ranges;
}

}  // namespace quantsearch
