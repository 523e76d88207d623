#include "quantize/pair_safety.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>

#include "quantize/overrides.h"
#include "quantize/weight_pairs.h"
#include "quantize/weight_ranges.h"

namespace quantsearch {

namespace {

/// Data that were not seen may lie this much further from zero than those that were. The figures of
/// docs/targets.md are the same with and without VNNI under it.
constexpr double kMargin = 1.25;

/// Scales tried between the one that rounding alone wants and the one at which every pair of real
/// values is safe: 1/8 of their ratio apart, on a logarithmic scale.
constexpr int kCandidates = 8;

struct IntegerPair {
  std::int32_t first = 0;
  std::int32_t second = 0;
};

double squared(double value) { return value * value; }

/// The safe pair next to (first, second), two values of one sign in units of the scale: the integer
/// of the first is tried from its rounding down to zero, and the second is the nearest that fits.
IntegerPair nearest_safe(const WeightPair& pair, double first, double second) {
  const bool is_negative = first < 0;
  const double bound = is_negative ? 32768 : 32767;
  const double wanted_first = std::abs(first);
  const double wanted_second = std::abs(second);
  const double rounded_second = std::nearbyint(wanted_second);
  IntegerPair best;
  double best_error = std::numeric_limits<double>::infinity();
  for (double tried = std::nearbyint(wanted_first); tried >= 0; --tried) {
    const double room = bound - pair.first_maximum * tried;
    if (room < 0) continue;
    double other = rounded_second;
    if (pair.second_maximum > 0) other = std::min(other, std::floor(room / pair.second_maximum));
    const double error = squared(wanted_first - tried) + squared(wanted_second - other);
    if (error < best_error) {
      best_error = error;
      best = {.first = static_cast<std::int32_t>(tried), .second = static_cast<std::int32_t>(other)};
    }
    if (other == rounded_second) break;  // a smaller first is only further away
  }
  if (is_negative) best = {.first = -best.first, .second = -best.second};
  return best;
}

/// The rows of one weight with their values side by side.
class Rows {
 public:
  Rows(const Node& node, const Tensor& weight)
      : rows_(weight_rows(node, weight.shape())), values_(weight.values<float>()) {}

  [[nodiscard]] const WeightRows& layout() const { return rows_; }
  [[nodiscard]] std::span<const float> read(std::int64_t row) {
    if (rows_.column_stride == 1)
      return values_.subspan(static_cast<std::size_t>(rows_.offset(row, 0)),
                             static_cast<std::size_t>(rows_.columns));
    gathered_.resize(static_cast<std::size_t>(rows_.columns));
    for (std::int64_t column = 0; column < rows_.columns; ++column)
      gathered_[static_cast<std::size_t>(column)] =
          values_[static_cast<std::size_t>(rows_.offset(row, column))];
    return gathered_;
  }

 private:
  WeightRows rows_;
  std::span<const float> values_;
  std::vector<float> gathered_;
};

/// Chooses the scale of each channel of one layer.
class LayerWidening {
 public:
  LayerWidening(const Node& node, const Tensor& weight, LayerScales& layer)
      : layer_(layer),
        rows_(node, weight),
        pairs_(weight_pairs(node, weight.shape(), *layer.limits)),
        limits_(integer_limits(layer.options.type, layer.options.symmetric,
                               layer.options.reduce_range)) {}

  void run() {
    const auto channels = static_cast<std::int64_t>(layer_.params.scales.size());
    const std::int64_t rows = rows_.layout().rows;
    for (std::int64_t channel = 0; channel < channels; ++channel) {
      if (channels == 1) {
        widen(0, 0, rows);
      } else {
        widen(channel, channel, channel + 1);
      }
    }
  }

 private:
  [[nodiscard]] std::span<const WeightPair> pairs_of(std::int64_t row) const {
    return pairs_[static_cast<std::size_t>(rows_.layout().group_of(row))];
  }

  /// The least scale at which no pair of real values leaves 16 bits.
  [[nodiscard]] double safe_scale(std::int64_t begin, std::int64_t end) {
    double scale = 0;
    for (std::int64_t row = begin; row < end; ++row) {
      const std::span<const float> values = rows_.read(row);
      for (const WeightPair& pair : pairs_of(row)) {
        const float first = values[static_cast<std::size_t>(pair.first)];
        const float second = values[static_cast<std::size_t>(pair.second)];
        if ((first < 0) != (second < 0)) continue;
        const double sum = static_cast<double>(pair.first_maximum) * first +
                           static_cast<double>(pair.second_maximum) * second;
        scale = std::max(scale, std::abs(sum) / 32767);
      }
    }
    return scale;
  }

  [[nodiscard]] double squared_error(const ScaleZeroPoint& params, const IntegerLimits& limits,
                                     std::int64_t begin, std::int64_t end) {
    double error = 0;
    for (std::int64_t row = begin; row < end; ++row)
      error += round_safely(rows_.read(row), params, limits, pairs_of(row)).squared_error;
    return error * squared(static_cast<double>(params.scale));
  }

  [[nodiscard]] bool is_safe(const ScaleZeroPoint& params, std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      if (round_safely(rows_.read(row), params, limits_, pairs_of(row)).moved > 0) return false;
    }
    return true;
  }

  void widen(std::int64_t channel, std::int64_t begin, std::int64_t end) {
    const auto at = static_cast<std::size_t>(channel);
    const ScaleZeroPoint now{.scale = layer_.params.scales[at],
                             .zero_point = layer_.params.zero_points[at]};
    if (is_safe(now, begin, end)) return;
    best_ = now;
    best_error_ = squared_error(now, limits_, begin, end);
    if (now.zero_point == 0) {
      offer_wider(channel, safe_scale(begin, end) / static_cast<double>(now.scale), begin, end);
    } else {
      offer_narrow_integers(channel, begin, end);
    }
    layer_.params.scales[at] = best_.scale;
    layer_.params.zero_points[at] = best_.zero_point;
  }

  void offer(const ScaleZeroPoint& params, std::int64_t begin, std::int64_t end) {
    const double error = squared_error(params, limits_, begin, end);
    if (!(error < best_error_)) return;
    best_error_ = error;
    best_ = params;
  }

  /// Symmetric integers shrink towards zero when the scale grows by up to `factor`.
  void offer_wider(std::int64_t channel, double factor, std::int64_t begin, std::int64_t end) {
    if (factor <= 1) return;  // rounding alone has made a pair unsafe
    const Range& range = layer_.ranges[static_cast<std::size_t>(channel)];
    for (int step = 1; step <= kCandidates; ++step) {
      const double wider = std::pow(factor, static_cast<double>(step) / kCandidates);
      offer(weight_scale({.low = range.low * wider, .high = range.high * wider}, layer_.options),
            begin, end);
    }
  }

  /// Integers around a zero point far from 0 stay large however wide the scale is. With one bit less
  /// every pair is safe.
  void offer_narrow_integers(std::int64_t channel, std::int64_t begin, std::int64_t end) {
    WeightOptions narrow = layer_.options;
    narrow.reduce_range = true;
    offer(weight_scale(layer_.ranges[static_cast<std::size_t>(channel)], narrow), begin, end);
  }

  LayerScales& layer_;
  Rows rows_;
  std::vector<std::vector<WeightPair>> pairs_;
  IntegerLimits limits_;
  ScaleZeroPoint best_;
  double best_error_ = 0;
};

/// The largest stored uint8 value expected for values up to `highest`. The zero point counts: it is
/// what padding holds. ONNX Runtime rewrites int8 activations as uint8, 128 higher.
std::int32_t stored_maximum(double highest, const TensorParams& input) {
  const std::int64_t offset = input.type == DataType::int8 ? 128 : 0;
  const double steps = std::max(0.0, highest * kMargin / static_cast<double>(input.scales[0]));
  const double stored =
      static_cast<double>(input.zero_points[0] + offset) + std::nearbyint(steps);
  return static_cast<std::int32_t>(std::clamp(stored, 0.0, 255.0));
}

PairLimits limits_of(const Node& node, const Shape& weight, const TensorParams& input,
                     const Extremes* seen) {
  const auto channels = static_cast<std::size_t>(input_channels(node, weight));
  PairLimits limits{.input_maxima = std::vector<std::int32_t>(channels, 255)};
  if (seen == nullptr) return limits;
  // Channels are on axis 1, or last where a MatMul reads the tensor; what a Gemm reads has two axes.
  const bool is_own_axis = node.is("Gemm") ? node.int_attribute("transA", 0) == 0
                                           : seen->channels_last == node.is("MatMul");
  const bool fits = is_own_axis && seen->channel_max.size() == channels;
  for (std::size_t channel = 0; channel < channels; ++channel) {
    limits.input_maxima[channel] = stored_maximum(
        static_cast<double>(fits ? seen->channel_max[channel] : seen->max), input);
  }
  return limits;
}

/// A weight that several layers read is stored once: it has to be safe for all of them.
void unite_limits(std::vector<LayerScales>& layers) {
  std::map<std::string, PairLimits> united;
  for (const LayerScales& layer : layers) {
    if (!layer.limits) continue;
    const auto [entry, is_new] = united.try_emplace(layer.weight, *layer.limits);
    std::vector<std::int32_t>& maxima = entry->second.input_maxima;
    if (is_new || maxima.size() != layer.limits->input_maxima.size()) continue;
    for (std::size_t channel = 0; channel < maxima.size(); ++channel)
      maxima[channel] = std::max(maxima[channel], layer.limits->input_maxima[channel]);
  }
  for (LayerScales& layer : layers) {
    if (!layer.limits) continue;
    const PairLimits& all = united.at(layer.weight);
    if (all.input_maxima.size() == layer.limits->input_maxima.size()) layer.limits = all;
  }
}

bool has_unsafe_pair(const Node& node, const Tensor& weight, const PairLimits& limits) {
  const WeightRows rows = weight_rows(node, weight.shape());
  const auto pairs = weight_pairs(node, weight.shape(), limits);
  const auto integers = weight.values<std::int8_t>();
  for (std::int64_t row = 0; row < rows.rows; ++row) {
    for (const WeightPair& pair : pairs[static_cast<std::size_t>(rows.group_of(row))]) {
      if (!pair.is_safe(integers[static_cast<std::size_t>(rows.offset(row, pair.first))],
                        integers[static_cast<std::size_t>(rows.offset(row, pair.second))]))
        return true;
    }
  }
  return false;
}

/// Integers that the model stores keep their values: where a pair is not safe they become uint8, 128
/// higher, which no kernel saturates on.
void keep_safely(const Node& node, LayerScales& layer) {
  if (!has_unsafe_pair(node, layer.stored->integers, *layer.limits)) return;
  constexpr int kShift = 128;
  const auto before = layer.stored->integers.values<std::int8_t>();
  Tensor integers(DataType::uint8, layer.stored->integers.shape());
  std::ranges::transform(
      before, integers.mutable_values<std::uint8_t>().begin(),
      [](std::int8_t value) { return static_cast<std::uint8_t>(value + kShift); });
  layer.params.type = layer.options.type = DataType::uint8;
  layer.options.symmetric = false;
  for (std::int64_t& zero_point : layer.params.zero_points) zero_point += kShift;
  layer.stored = std::make_shared<const QuantizedTensor>(
      QuantizedTensor{.integers = std::move(integers), .params = layer.params});
  layer.limits.reset();
}

bool is_byte(DataType type) { return type == DataType::uint8 || type == DataType::int8; }

}  // namespace

SafeRow round_safely(std::span<const float> row, const ScaleZeroPoint& params,
                     const IntegerLimits& limits, std::span<const WeightPair> pairs) {
  SafeRow made;
  made.integers.resize(row.size());
  const auto wanted = [&](std::int32_t at) {
    const double units = static_cast<double>(row[static_cast<std::size_t>(at)]) /
                             static_cast<double>(params.scale) +
                         static_cast<double>(params.zero_point);
    return std::clamp(units, static_cast<double>(limits.low), static_cast<double>(limits.high));
  };
  for (std::size_t at = 0; at < row.size(); ++at) {
    // Divided in float32, as quantize_weight does: a weight that is safe stays as it was.
    const float steps = row[at] / params.scale;
    const double integer = std::clamp(
        std::nearbyint(static_cast<double>(steps)) + static_cast<double>(params.zero_point),
        static_cast<double>(limits.low), static_cast<double>(limits.high));
    made.integers[at] = static_cast<std::int32_t>(integer);
    made.squared_error += squared(static_cast<double>(steps) -
                                  (integer - static_cast<double>(params.zero_point)));
  }
  for (const WeightPair& pair : pairs) {
    std::int32_t& first = made.integers[static_cast<std::size_t>(pair.first)];
    std::int32_t& second = made.integers[static_cast<std::size_t>(pair.second)];
    if (pair.is_safe(first, second)) continue;
    const double wanted_first = wanted(pair.first);
    const double wanted_second = wanted(pair.second);
    const IntegerPair safe = nearest_safe(pair, wanted_first, wanted_second);
    made.squared_error += squared(wanted_first - safe.first) - squared(wanted_first - first) +
                          squared(wanted_second - safe.second) - squared(wanted_second - second);
    made.moved += (safe.first != first ? 1 : 0) + (safe.second != second ? 1 : 0);
    first = safe.first;
    second = safe.second;
  }
  return made;
}

void choose_safe_scales(const Graph& graph, const GraphIndex& index,
                        const Activations& activations, const ExtremesByTensor& extremes,
                        const QuantizeOptions& options, std::vector<LayerScales>& layers,
                        ThreadPool& pool) {
  if (options.target != Target::cpu) return;
  for (LayerScales& layer : layers) {
    const Node& node = graph.nodes[static_cast<std::size_t>(layer.node)];
    const Shape& shape = index.initializer(layer.weight)->shape();
    const TensorParams* input = activations.find(layer.input, layer.input_type);
    if (layer.options.type != DataType::int8 || input == nullptr || !is_byte(input->type)) continue;
    if (!adds_pairs(node, shape)) continue;
    const auto seen = extremes.find(layer.input);
    layer.limits = limits_of(node, shape, *input, seen == extremes.end() ? nullptr : &seen->second);
  }
  unite_limits(layers);
  pool.parallel_for(static_cast<std::int64_t>(layers.size()), [&](std::int64_t at, int) {
    LayerScales& layer = layers[static_cast<std::size_t>(at)];
    if (!layer.limits || (layer.wanted != nullptr && fixes_scales(*layer.wanted))) return;
    const Node& node = graph.nodes[static_cast<std::size_t>(layer.node)];
    if (layer.stored != nullptr) return keep_safely(node, layer);
    LayerWidening(node, scaled(*index.initializer(layer.weight), layer.factor), layer).run();
  });
}

QuantizedTensor quantize_safely(const Node& node, const Tensor& weight, const TensorParams& params,
                                const IntegerLimits& integer_limits, const PairLimits& limits) {
  Rows rows(node, weight);
  const auto pairs = weight_pairs(node, weight.shape(), limits);
  QuantizedTensor made{.integers = Tensor(params.type, weight.shape()), .params = params};
  const auto integers = made.integers.mutable_values<std::int8_t>();
  const WeightRows& layout = rows.layout();
  for (std::int64_t row = 0; row < layout.rows; ++row) {
    const auto channel = static_cast<std::size_t>(params.scales.size() == 1 ? 0 : row);
    const SafeRow safe =
        round_safely(rows.read(row),
                     {.scale = params.scales[channel], .zero_point = params.zero_points[channel]},
                     integer_limits, pairs[static_cast<std::size_t>(layout.group_of(row))]);
    for (std::int64_t column = 0; column < layout.columns; ++column) {
      integers[static_cast<std::size_t>(layout.offset(row, column))] =
          static_cast<std::int8_t>(safe.integers[static_cast<std::size_t>(column)]);
    }
  }
  return made;
}

}  // namespace quantsearch
