#include "quantize/numbers/pair_safety.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <optional>
#include <span>

#include "quantize/numbers/overrides.h"
#include "quantize/numbers/safe_rounding.h"
#include "quantize/numbers/weight_pairs.h"
#include "quantize/numbers/weight_ranges.h"
#include "quantsearch/internal/model/linear_layer.h"

namespace quantsearch {

namespace {

/// Data outside the calibration set may be larger than the largest observed value by this factor.
/// With it, the figures of docs/targets.md are the same with and without VNNI.
constexpr double kMargin = 1.25;

/// The factor after `observed` values: that by which the largest of 100,000 normal values around
/// zero is expected to exceed the largest of the observed ones (the expected maximum of n grows as
/// the root of 2 ln n), and at least kMargin. The inputs of a Conv have thousands of values a
/// channel; those of a Gemm as many as there are samples.
double margin(double observed) {
  constexpr double kUnseen = 1e5;
  return std::max(kMargin, std::sqrt(std::log(kUnseen) / std::log(std::max(2.0, observed))));
}

/// A channel that stays at zero in few samples, behind a Relu, may reach what others reach: this
/// many times the mean of their largest values, times what margin() is above kMargin. (Not of the
/// tensor's largest, which in transformers a few channels alone reach.)
constexpr double kOfOthers = 2;

double mean_of(std::span<const float> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

/// Number of scales tried between the one for plain rounding and the one at which every pair of
/// real values is safe, at equal distances on a logarithmic scale.
constexpr int kCandidates = 8;

/// The assumed correlation of the values of a channel at neighbouring positions of a kernel. Images
/// and the results of convolutions on them are smooth. Without the correlation, errors that the
/// positions have in common have too little weight: safe pairs in resnet8's first layer alone then
/// raised the error of its outputs from .0030 to .0049.
constexpr double kCorrelation = 0.5;

/// This share of the average variance is added to the variance of every channel, because a channel
/// that is nearly constant in the calibration data may vary in other data.
constexpr double kLeastVariance = 0.01;

/// The rows of one weight as contiguous values.
class Rows {
 public:
  Rows(const Node& node, const Tensor& weight)
      : layout_(weight_layout(node, weight.shape()).value()), values_(weight.values<float>()) {}

  [[nodiscard]] const WeightLayout& layout() const { return layout_; }
  [[nodiscard]] std::span<const float> read(std::int64_t row) {
    const auto columns = static_cast<std::size_t>(layout_.columns());
    if (layout_.order == WeightLayout::Order::output_major)
      return values_.subspan(static_cast<std::size_t>(layout_.offset(row, 0)), columns);
    gathered_.resize(columns);
    layout_.for_each_in_row(row, [&](std::int64_t column, std::int64_t offset) {
      gathered_[static_cast<std::size_t>(column)] = values_[static_cast<std::size_t>(offset)];
    });
    return gathered_;
  }

 private:
  WeightLayout layout_;
  std::span<const float> values_;
  std::vector<float> gathered_;
};

/// The moments of the inputs of each group [groups]; without `moments` all weights count the same.
std::vector<InputMoments> moments_of_groups(const WeightLayout& layout,
                                            const std::optional<InputMoments>& moments) {
  const std::int64_t per_group = layout.inputs / layout.groups;
  std::vector<InputMoments> groups(static_cast<std::size_t>(layout.groups));
  for (std::size_t group = 0; group < groups.size(); ++group) {
    InputMoments& made = groups[group];
    made.positions = layout.kernel;
    made.mean.assign(static_cast<std::size_t>(per_group), 0);
    made.variance.assign(static_cast<std::size_t>(per_group), 1);
    if (!moments) continue;
    made.correlation = moments->correlation;
    const auto first = static_cast<std::ptrdiff_t>(group) * per_group;
    std::copy_n(moments->mean.begin() + first, per_group, made.mean.begin());
    std::copy_n(moments->variance.begin() + first, per_group, made.variance.begin());
  }
  return groups;
}

/// The rows of one weight, their pairs and the moments of their inputs.
class SafeRows {
 public:
  SafeRows(const Node& node, const Tensor& weight, const LayerScales& layer)
      : rows_(node, weight),
        pairs_(weight_pairs(node, weight.shape(), *layer.limits)),
        moments_(moments_of_groups(rows_.layout(), layer.moments)),
        is_observed_(layer.moments.has_value()) {}

  [[nodiscard]] const WeightLayout& layout() const { return rows_.layout(); }
  [[nodiscard]] std::span<const float> read(std::int64_t row) { return rows_.read(row); }
  [[nodiscard]] std::span<const WeightPair> pairs_of(std::int64_t row) const {
    return pairs_[group_of(row)];
  }
  [[nodiscard]] SafeRow rounded(std::int64_t row, const RowGrid& grid) {
    return round_safely(rows_.read(row), grid, pairs_of(row), moments_[group_of(row)]);
  }
  [[nodiscard]] double error(std::int64_t row, const RowGrid& grid) {
    return expected_error(rounded(row, grid), moments_[group_of(row)]);
  }
  /// Moves integers of a rounded row so that they compensate for a wider scale or for integers that
  /// had to move. Does nothing when the inputs of the layer were not observed.
  void compensate(std::int64_t row, const IntegerLimits& limits, SafeRow& made) const {
    if (is_observed_) take_up_mean(made, limits, pairs_of(row), moments_[group_of(row)]);
  }

 private:
  [[nodiscard]] std::size_t group_of(std::int64_t row) const {
    return static_cast<std::size_t>(rows_.layout().group_of(row));
  }

  Rows rows_;
  std::vector<std::vector<WeightPair>> pairs_;  // [groups]
  std::vector<InputMoments> moments_;           // [groups]
  bool is_observed_;
};

/// Chooses the scale of each channel of one layer.
class LayerWidening {
 public:
  LayerWidening(const Node& node, const Tensor& weight, LayerScales& layer)
      : layer_(layer),
        rows_(node, weight, layer),
        limits_(integer_limits(layer.options.type, layer.options.symmetric,
                               layer.options.reduce_range)) {}

  void run() {
    const auto channels = static_cast<std::int64_t>(layer_.params.scales.size());
    const std::int64_t rows = rows_.layout().rows();
    layer_.wider_for_pairs.assign(layer_.params.scales.size(), false);
    for (std::int64_t channel = 0; channel < channels; ++channel) {
      if (channels == 1) {
        widen(0, 0, rows);
      } else {
        widen(channel, channel, channel + 1);
      }
    }
  }

 private:
  /// The least scale at which the sum of every pair of real values fits into 16 bits.
  [[nodiscard]] double safe_scale(std::int64_t begin, std::int64_t end) {
    double scale = 0;
    for (std::int64_t row = begin; row < end; ++row) {
      const std::span<const float> values = rows_.read(row);
      for (const WeightPair& pair : rows_.pairs_of(row)) {
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

  [[nodiscard]] double error_with(const ScaleZeroPoint& params, std::int64_t begin,
                                  std::int64_t end) {
    double error = 0;
    for (std::int64_t row = begin; row < end; ++row)
      error += rows_.error(row, {.params = params, .limits = limits_});
    const double scale = params.scale;
    return error * (scale * scale);
  }

  [[nodiscard]] bool is_safe(const ScaleZeroPoint& params, std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      if (rows_.rounded(row, {.params = params, .limits = limits_}).moved > 0) return false;
    }
    return true;
  }

  void widen(std::int64_t channel, std::int64_t begin, std::int64_t end) {
    const auto at = static_cast<std::size_t>(channel);
    const ScaleZeroPoint now{.scale = layer_.params.scales[at],
                             .zero_point = layer_.params.zero_points[at]};
    if (is_safe(now, begin, end)) return;
    best_ = now;
    best_error_ = error_with(now, begin, end);
    if (now.zero_point == 0) {
      offer_wider(channel, safe_scale(begin, end) / static_cast<double>(now.scale), begin, end);
    } else {
      offer_narrow_integers(channel, begin, end);
    }
    layer_.wider_for_pairs[at] = best_.scale > now.scale;
    layer_.params.scales[at] = best_.scale;
    layer_.params.zero_points[at] = best_.zero_point;
  }

  void offer(const ScaleZeroPoint& params, std::int64_t begin, std::int64_t end) {
    const double error = error_with(params, begin, end);
    if (!(error < best_error_)) return;
    best_error_ = error;
    best_ = params;
  }

  /// Tries scales that are larger by up to `factor`, with which symmetric integers become smaller.
  void offer_wider(std::int64_t channel, double factor, std::int64_t begin, std::int64_t end) {
    if (factor <= 1) return;  // only rounding made a pair unsafe
    const Range& range = layer_.ranges[static_cast<std::size_t>(channel)];
    for (int step = 1; step <= kCandidates; ++step) {
      const double wider = std::pow(factor, static_cast<double>(step) / kCandidates);
      offer(weight_scale({.low = range.low * wider, .high = range.high * wider}, layer_.options),
            begin, end);
    }
  }

  /// Tries integers with one bit less, with which every pair is safe. Integers around a zero point
  /// far from 0 stay large however wide the scale is.
  void offer_narrow_integers(std::int64_t channel, std::int64_t begin, std::int64_t end) {
    WeightOptions narrow = layer_.options;
    narrow.reduce_range = true;
    offer(weight_scale(layer_.ranges[static_cast<std::size_t>(channel)], narrow), begin, end);
  }

  LayerScales& layer_;
  SafeRows rows_;
  IntegerLimits limits_;
  ScaleZeroPoint best_;
  double best_error_ = 0;
};

/// The largest stored uint8 value expected for real values up to `highest`. It is at least the zero
/// point, which padding contains. ONNX Runtime rewrites int8 activations as uint8, 128 higher.
std::int32_t stored_maximum(double highest, const TensorParams& input) {
  const std::int64_t offset = input.type == DataType::int8 ? 128 : 0;
  const double steps = std::max(0.0, highest / static_cast<double>(input.scales[0]));
  const double stored = static_cast<double>(input.zero_points[0] + offset) + std::nearbyint(steps);
  return static_cast<std::int32_t>(std::clamp(stored, 0.0, 255.0));
}

/// True when `seen` has the channels that the node multiplies. Channels are on axis 1, or on the
/// last axis when a MatMul reads the tensor; the input of a Gemm has two axes.
bool is_own_axis(const Node& node, const Extremes& seen) {
  return node.is("Gemm") ? node.int_attribute("transA", 0) == 0
                         : seen.channels_last == node.is("MatMul");
}

PairLimits limits_of(const Node& node, std::size_t channels, const TensorParams& input,
                     const Extremes* seen) {
  PairLimits limits{.input_maxima = std::vector<std::int32_t>(channels, 255)};
  if (seen == nullptr) return limits;
  const bool fits = is_own_axis(node, *seen) && seen->channel_max.size() == channels;
  const double observed =
      static_cast<double>(seen->count) / static_cast<double>(fits ? channels : 1);
  const double factor = margin(observed);
  const double possible = (factor - kMargin) * kOfOthers * (fits ? mean_of(seen->channel_max) : 0);
  for (std::size_t channel = 0; channel < channels; ++channel) {
    const double highest = fits ? seen->channel_max[channel] : seen->max;
    limits.input_maxima[channel] = stored_maximum(std::max(highest * factor, possible), input);
  }
  return limits;
}

std::optional<InputMoments> moments_of(const Node& node, std::size_t channels,
                                       const Extremes* seen) {
  if (seen == nullptr || !is_own_axis(node, *seen) || seen->channel_moments.size() != channels)
    return std::nullopt;
  InputMoments made{.correlation = kCorrelation, .mean = {}, .variance = {}};
  double total = 0;
  for (const ChannelMoments& channel : seen->channel_moments) {
    made.mean.push_back(channel.mean);
    made.variance.push_back(std::max(0.0, channel.mean_square - channel.mean * channel.mean));
    total += made.variance.back();
  }
  if (!(total > 0)) return std::nullopt;
  for (double& variance : made.variance)
    variance += kLeastVariance * total / static_cast<double>(channels);
  return made;
}

/// A weight that several layers read is stored once and must be safe for all of them. It is rounded
/// for the moments of the first.
void unite_limits(std::vector<LayerScales>& layers) {
  std::map<std::string, PairLimits> united;
  std::map<std::string, std::optional<InputMoments>> moments;
  for (const LayerScales& layer : layers) {
    if (!layer.limits) continue;
    moments.try_emplace(layer.weight, layer.moments);
    const auto [entry, is_new] = united.try_emplace(layer.weight, *layer.limits);
    std::vector<std::int32_t>& maxima = entry->second.input_maxima;
    if (is_new || maxima.size() != layer.limits->input_maxima.size()) continue;
    for (std::size_t channel = 0; channel < maxima.size(); ++channel)
      maxima[channel] = std::max(maxima[channel], layer.limits->input_maxima[channel]);
  }
  for (LayerScales& layer : layers) {
    if (!layer.limits) continue;
    const PairLimits& all = united.at(layer.weight);
    if (all.input_maxima.size() != layer.limits->input_maxima.size()) continue;
    layer.limits = all;
    layer.moments = moments.at(layer.weight);
  }
}

bool has_unsafe_pair(const Node& node, const Tensor& weight, const PairLimits& limits) {
  const WeightLayout layout = weight_layout(node, weight.shape()).value();
  const auto pairs = weight_pairs(node, weight.shape(), limits);
  const auto integers = weight.values<std::int8_t>();
  for (std::int64_t row = 0; row < layout.rows(); ++row) {
    for (const WeightPair& pair : pairs[static_cast<std::size_t>(layout.group_of(row))]) {
      if (!pair.is_safe(integers[static_cast<std::size_t>(layout.offset(row, pair.first))],
                        integers[static_cast<std::size_t>(layout.offset(row, pair.second))]))
        return true;
    }
  }
  return false;
}

/// Integers that the model stores keep their values. If a pair of them is not safe, they are stored
/// as uint8, 128 higher, with which no kernel saturates.
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

void choose_safe_scales(const PlanView& view, const Activations& activations,
                        const ExtremesByTensor& extremes, std::vector<LayerScales>& layers,
                        ThreadPool& pool) {
  if (view.options.target != Target::cpu) return;
  for (LayerScales& layer : layers) {
    const Node& node = view.node(layer.node);
    const Shape& shape = view.index.initializer(layer.weight)->shape();
    const TensorParams* input = activations.find(layer.input, layer.input_type);
    if (layer.options.type != DataType::int8 || input == nullptr || !is_byte(input->type)) continue;
    if (!adds_pairs(node, shape)) continue;
    const auto seen = extremes.find(layer.input);
    const Extremes* known = seen == extremes.end() ? nullptr : &seen->second;
    const auto channels = static_cast<std::size_t>(weight_layout(node, shape).value().inputs);
    layer.limits = limits_of(node, channels, *input, known);
    layer.moments = moments_of(node, channels, known);
  }
  unite_limits(layers);
  pool.parallel_for(static_cast<std::int64_t>(layers.size()), [&](std::int64_t at, int) {
    LayerScales& layer = layers[static_cast<std::size_t>(at)];
    if (!layer.limits || (layer.wanted != nullptr && fixes_scales(*layer.wanted))) return;
    const Node& node = view.node(layer.node);
    if (layer.stored != nullptr) return keep_safely(node, layer);
    LayerWidening(node, scaled(*view.index.initializer(layer.weight), layer.factor), layer).run();
  });
}

QuantizedTensor quantize_safely(const Node& node, const Tensor& weight, const LayerScales& layer) {
  SafeRows rows(node, weight, layer);
  const TensorParams& params = layer.params;
  const IntegerLimits limits =
      integer_limits(layer.options.type, layer.options.symmetric, layer.options.reduce_range);
  QuantizedTensor made{.integers = Tensor(params.type, weight.shape()), .params = params};
  const auto integers = made.integers.mutable_values<std::int8_t>();
  const WeightLayout& layout = rows.layout();
  for (std::int64_t row = 0; row < layout.rows(); ++row) {
    const auto channel = static_cast<std::size_t>(params.scales.size() == 1 ? 0 : row);
    SafeRow safe = rows.rounded(row, {.params = {.scale = params.scales[channel],
                                                 .zero_point = params.zero_points[channel]},
                                      .limits = limits});
    const bool is_wider = !layer.wider_for_pairs.empty() && layer.wider_for_pairs[channel];
    // The other rows are rounded as for every other target.
    if (is_wider || safe.moved > 0) rows.compensate(row, limits, safe);
    layout.for_each_in_row(row, [&](std::int64_t column, std::int64_t offset) {
      integers[static_cast<std::size_t>(offset)] =
          static_cast<std::int8_t>(safe.integers[static_cast<std::size_t>(column)]);
    });
  }
  return made;
}

}  // namespace quantsearch
