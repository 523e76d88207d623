// Nagel et al. 2019, "Data-Free Quantization through Weight Equalization and Bias Correction",
// https://arxiv.org/abs/1906.04721, section 4.1. A group of n layers is a pair, or two layers with
// depthwise layers between them. With r_k the largest |weight| of a channel in layer k, g = (r_1
// ... r_n)^(1/n), and the tensor after layer k scaled by s_k = g^k / (r_1 ... r_k), every layer has
// the largest weight g.

#include "equalize/balance.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

#include "quantsearch/internal/base/sizes.h"

namespace quantsearch::equalizing {

namespace {

/// A channel that would be scaled by more than this is dead in one of its layers and keeps its
/// scale.
constexpr double kLargestScale = 0x1p30;
/// An adaptive run ends after 20 consecutive sweeps each of which changes the weights by hardly
/// less than the one before, and at the latest after kMostSweeps sweeps.
constexpr int kIdleSweeps = 20;
constexpr double kIdleChange = 1e-9;
constexpr int kMostSweeps = 1000;
/// Smaller weights count as this value in the ratio of bias to weight.
constexpr double kSmallestWeight = 1e-7;

double mean(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double median(std::vector<double>& values) {
  const auto middle = values.begin() + std::ssize(values) / 2;
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

class Balancing {
 public:
  Balancing(const ChainMap& chains, const std::vector<std::vector<double>>& added,
            const EqualizeOptions& options)
      : chains_(chains),
        added_(added),
        options_(options),
        into_(chains.layers.size(), -1),
        out_of_(chains.layers.size(), -1) {
    for (std::size_t link = 0; link < chains.links.size(); ++link) {
      out_of_[to_size(chains.links[link].from)] = static_cast<int>(link);
      into_[to_size(chains.links[link].to)] = static_cast<int>(link);
      result_.scales.emplace_back(to_size(head_of(static_cast<int>(link)).layout.outputs), 1.0);
    }
    find_groups();
  }

  Balance run() {
    const int limit = options_.steps.value_or(kMostSweeps);
    double last = 0;
    int idle = 0;
    while (result_.sweeps < limit && !groups_.empty()) {
      const auto before = result_.scales;
      for (const auto& group : groups_) balance_group(group);
      ++result_.sweeps;
      const double change = total_change(before);
      idle = std::abs(change - last) <= kIdleChange ? idle + 1 : 0;
      if (change <= options_.total_difference || idle >= kIdleSweeps) break;
      last = change;
    }
    return std::move(result_);
  }

 private:
  [[nodiscard]] const LinearLayer& head_of(int link) const {
    return chains_.layers[to_size(chains_.links[to_size(link)].from)];
  }
  [[nodiscard]] const LinearLayer& tail_of(int link) const {
    return chains_.layers[to_size(chains_.links[to_size(link)].to)];
  }

  /// Links that share depthwise layers are balanced together; each link belongs to one group.
  void find_groups() {
    for (int link = 0; link < static_cast<int>(chains_.links.size()); ++link) {
      const int from = chains_.links[to_size(link)].from;
      if (into_[to_size(from)] >= 0 && head_of(link).layout.is_depthwise())
        continue;  // already in the group before
      std::vector<int> group = {link};
      while (tail_of(group.back()).layout.is_depthwise()) {
        const int next = out_of_[to_size(chains_.links[to_size(group.back())].to)];
        if (next < 0) break;
        group.push_back(next);
      }
      groups_.push_back(std::move(group));
    }
  }

  /// The factor by which the weight of a pair of channels is currently multiplied.
  [[nodiscard]] static double factor(const std::vector<std::vector<double>>& scales, int into,
                                     int out_of, std::int64_t input, std::int64_t output) {
    const double above = out_of < 0 ? 1.0 : scales[to_size(out_of)][to_size(output)];
    return into < 0 ? above : above / scales[to_size(into)][to_size(input)];
  }

  /// Largest |weight| of each output (or input) channel with the current scales.
  [[nodiscard]] std::vector<double> largest(int layer, bool of_outputs) const {
    const LinearLayer& linear = chains_.layers[to_size(layer)];
    const WeightLayout& layout = linear.layout;
    std::vector<double> result(to_size(of_outputs ? layout.outputs : layout.inputs), 0.0);
    const auto values = linear.weight->values<float>();
    layout.for_each_run([&](std::int64_t input, std::int64_t output, std::int64_t offset) {
      double run = 0;
      for (const float value : values.subspan(to_size(offset), to_size(layout.kernel)))
        run = std::max(run, std::abs(static_cast<double>(value)));
      double& channel = result[to_size(of_outputs ? output : input)];
      channel = std::max(channel, run * factor(result_.scales, into_[to_size(layer)],
                                               out_of_[to_size(layer)], input, output));
    });
    return result;
  }

  /// The bias of the first layer of a link with the current scales; empty when there is none.
  [[nodiscard]] std::vector<double> bias_before(int link) const {
    std::vector<double> bias = head_of(link).bias.values;
    const std::vector<double>& added = added_[to_size(link)];
    if (bias.empty()) bias.assign(added.size(), 0.0);
    for (std::size_t channel = 0; channel < bias.size(); ++channel) {
      if (!added.empty()) bias[channel] += added[channel];
      bias[channel] *= result_.scales[to_size(link)][channel];
    }
    return bias;
  }

  /// |bias| / |weight| for every weight of the layer. A weight of 0 counts as the smallest weight
  /// of its channel.
  [[nodiscard]] std::vector<double> bias_ratios(int layer, std::span<const double> bias) const {
    const LinearLayer& linear = chains_.layers[to_size(layer)];
    const auto values = linear.weight->values<float>();
    std::vector<std::vector<double>> channels(bias.size());
    linear.layout.for_each_run([&](std::int64_t input, std::int64_t output, std::int64_t offset) {
      const double scale =
          factor(result_.scales, into_[to_size(layer)], out_of_[to_size(layer)], input, output);
      for (const float value : values.subspan(to_size(offset), to_size(linear.layout.kernel)))
        channels[to_size(output)].push_back(std::abs(static_cast<double>(value)) * scale);
    });
    std::vector<double> ratios;
    for (std::size_t channel = 0; channel < channels.size(); ++channel) {
      double smallest = INFINITY;
      for (const double weight : channels[channel])
        if (weight > 0) smallest = std::min(smallest, weight);
      const bool is_dead = !std::isfinite(smallest);
      for (const double weight : channels[channel]) {
        const double floor = std::max(weight > 0 ? weight : smallest, kSmallestWeight);
        ratios.push_back(is_dead ? 0 : std::abs(bias[channel]) / floor);
      }
    }
    return ratios;
  }

  void append_bias(int link, std::vector<double>& largest_weights) const {
    const std::vector<double> bias = bias_before(link);
    if (bias.empty()) return;
    double largest_bias = 0;
    for (const double value : bias) largest_bias = std::max(largest_bias, std::abs(value));
    if (largest_bias == 0) return;
    const double divisor = bias_divisor(largest_bias, std::ranges::max(largest_weights),
                                        bias_ratios(chains_.links[to_size(link)].from, bias));
    for (std::size_t channel = 0; channel < bias.size(); ++channel) {
      if (largest_weights[channel] == 0) continue;  // dead: there is no weight to increase
      largest_weights[channel] =
          std::max(largest_weights[channel], std::abs(bias[channel]) / divisor);
    }
  }

  void balance_group(const std::vector<int>& group) {
    std::vector<std::vector<double>> layers;  // [layers of the group][channels]
    for (const int link : group) {
      layers.push_back(largest(chains_.links[to_size(link)].from, true));
      // Only for pairs, as in Quark: with depthwise layers in between it costs accuracy
      // (docs/algorithms/cle.md).
      if (options_.append_bias && group.size() == 1) append_bias(link, layers.back());
    }
    layers.push_back(largest(chains_.links[to_size(group.back())].to, false));
    for (std::size_t channel = 0; channel < layers[0].size(); ++channel) {
      balance_channel(group, layers, channel);
    }
  }

  void balance_channel(const std::vector<int>& group,
                       const std::vector<std::vector<double>>& layers, std::size_t channel) {
    double logarithms = 0;
    double sum = 0;
    for (const auto& layer : layers) {
      if (!(layer[channel] > 0) || !std::isfinite(layer[channel])) return;
      logarithms += std::log(layer[channel]);
      sum += layer[channel];
    }
    const bool is_pair = group.size() == 1;
    if (options_.use_threshold && is_pair && sum < options_.weight_threshold) return;
    const double common = logarithms / static_cast<double>(layers.size());
    std::vector<double> steps;
    double step = 0;  // logarithm of the scale after the layer
    for (std::size_t link = 0; link < group.size(); ++link) {
      step += common - std::log(layers[link][channel]);
      if (std::abs(step) > std::log(kLargestScale)) return;
      steps.push_back(std::exp(step));
    }
    for (std::size_t link = 0; link < group.size(); ++link)
      result_.scales[to_size(group[link])][channel] *= steps[link];
  }

  /// Sum over the layers of the mean |change| of their weights.
  [[nodiscard]] double total_change(const std::vector<std::vector<double>>& before) const {
    double total = 0;
    for (std::size_t layer = 0; layer < chains_.layers.size(); ++layer) {
      if (into_[layer] < 0 && out_of_[layer] < 0) continue;
      const LinearLayer& linear = chains_.layers[layer];
      const auto values = linear.weight->values<float>();
      double sum = 0;
      linear.layout.for_each_run([&](std::int64_t input, std::int64_t output, std::int64_t offset) {
        double run = 0;
        for (const float value : values.subspan(to_size(offset), to_size(linear.layout.kernel)))
          run += std::abs(static_cast<double>(value));
        sum += run * std::abs(factor(result_.scales, into_[layer], out_of_[layer], input, output) -
                              factor(before, into_[layer], out_of_[layer], input, output));
      });
      total += sum / static_cast<double>(values.size());
    }
    return total;
  }

  const ChainMap& chains_;
  const std::vector<std::vector<double>>& added_;
  const EqualizeOptions& options_;
  std::vector<int> into_;    // [layers] the link that ends at the layer, or -1
  std::vector<int> out_of_;  // [layers] the link that begins at the layer, or -1
  std::vector<std::vector<int>> groups_;
  Balance result_;
};

}  // namespace

double bias_divisor(double largest_bias, double largest_weight, std::vector<double> ratios) {
  const double average = mean(ratios);
  const double middle = median(ratios);
  if (largest_bias < 10 && largest_bias < 20 * largest_weight) {
    return middle > 100 || average > 1000 ? 5 : 2;
  }
  if (middle > 30 || average > 500) return 20;
  return middle > 15 || average > 100 ? 10 : 5;
}

Balance balance(const ChainMap& chains, const std::vector<std::vector<double>>& added,
                const EqualizeOptions& options) {
  return Balancing(chains, added, options).run();
}

}  // namespace quantsearch::equalizing
