// Xiao, Lin, Seznec, Wu, Demouth, Han 2022, "SmoothQuant", https://arxiv.org/abs/2211.10438,
// equation 4: s_j = max |X_j|^alpha / max |W_j|^(1 - alpha). Alpha "auto" takes the alpha of the
// least expected error (docs/algorithms/smoothquant.md): a step d of a uniform quantizer causes an
// error of d^2 / 12, so with X' = X / s and W' = W s
//   activations: d_x^2 / 12 * sum W'^2,      d_x = range of X' / 255
//   weights:     d_w^2 / 12 * sum E[X'^2],   d_w = max |W'| / 127 of a tensor or an output channel
// which needs one second moment per channel and no forward pass.

#include "equalize/smooth_scales.h"

#include <algorithm>
#include <cmath>

#include "quantsearch/internal/base/sizes.h"

namespace quantsearch::equalizing {

namespace {

constexpr double kActivationSteps = 255;
constexpr double kWeightSteps = 127;
constexpr int kAlphas = 20;  // number of steps: 0, 1/20, ..., 1 are tried
/// Scales stay within this factor of their geometric mean. A channel that would exceed it is almost
/// dead.
constexpr double kLargestSpread = 0x1p12;

std::vector<double> largest_activations(const std::vector<ChannelRanges>& ranges) {
  std::vector<double> largest(ranges[0].low.size(), 0.0);
  for (const ChannelRanges& input : ranges) {
    for (std::size_t channel = 0; channel < largest.size(); ++channel)
      largest[channel] = std::max({largest[channel], -input.low[channel], input.high[channel]});
  }
  return largest;
}

std::vector<double> largest_weights(std::size_t channels,
                                    const std::vector<SmoothReader>& readers) {
  std::vector<double> largest(channels, 0.0);
  for (const SmoothReader& reader : readers) {
    for (std::size_t channel = 0; channel < channels; ++channel)
      largest[channel] = std::max(largest[channel], reader.largest[channel]);
  }
  return largest;
}

/// Absent when every channel is dead.
std::optional<std::vector<double>> scales_for(double alpha, const std::vector<double>& activations,
                                              const std::vector<double>& weights) {
  std::vector<double> logarithms(activations.size(), NAN);
  double sum = 0;
  double live = 0;
  for (std::size_t channel = 0; channel < activations.size(); ++channel) {
    if (!(activations[channel] > 0) || !(weights[channel] > 0)) continue;
    logarithms[channel] =
        alpha * std::log(activations[channel]) - (1 - alpha) * std::log(weights[channel]);
    sum += logarithms[channel];
    live += 1;
  }
  if (live == 0) return std::nullopt;
  const double middle = sum / live;
  const double spread = std::log(kLargestSpread);
  std::vector<double> scales;
  for (const double logarithm : logarithms) {
    const bool is_dead = std::isnan(logarithm);
    scales.push_back(is_dead ? 1
                             : std::exp(std::clamp(logarithm, middle - spread, middle + spread)));
  }
  return scales;
}

double activation_step(const ChannelRanges& input, const std::vector<double>& scales) {
  double low = 0;
  double high = 0;
  for (std::size_t channel = 0; channel < scales.size(); ++channel) {
    low = std::min(low, input.low[channel] / scales[channel]);
    high = std::max(high, input.high[channel] / scales[channel]);
  }
  return (high - low) / kActivationSteps;
}

double output_factor(const SmoothReader& reader, std::int64_t output) {
  return reader.of_outputs.empty() ? 1.0 : reader.of_outputs[to_size(output)];
}

/// [outputs]: the step of each output channel's weights.
std::vector<double> weight_steps(const SmoothReader& reader, const std::vector<double>& scales,
                                 bool per_channel) {
  const WeightLayout& layout = reader.layer->layout;
  double largest = 0;
  for (std::size_t channel = 0; channel < scales.size(); ++channel)
    largest = std::max(largest, reader.largest[channel] * scales[channel]);
  std::vector<double> steps(to_size(layout.outputs), largest / kWeightSteps);
  if (!per_channel) return steps;
  std::ranges::fill(steps, 0.0);
  const auto values = reader.layer->weight->values<float>();
  layout.for_each_run([&](std::int64_t input, std::int64_t output, std::int64_t offset) {
    float run = 0;
    for (const float value : values.subspan(to_size(offset), to_size(layout.kernel)))
      run = std::max(run, std::abs(value));
    const double scaled =
        static_cast<double>(run) * scales[to_size(input)] * output_factor(reader, output);
    steps[to_size(output)] = std::max(steps[to_size(output)], scaled / kWeightSteps);
  });
  return steps;
}

}  // namespace

std::optional<ChannelRanges> channel_ranges(const Statistics& statistics,
                                            const SmoothInput& input) {
  const auto found = statistics.tensors.find(input.tensor);
  if (found == statistics.tensors.end()) return std::nullopt;
  const TensorStatistics& tensor = found->second;
  const bool are_last = input.at.rank == 0 || input.at.axis == input.at.rank - 1;
  const bool holds = tensor.channels_last ? are_last : input.at.rank > 0 && input.at.axis == 1;
  if (!holds || std::ssize(tensor.channel_min) != input.channels) return std::nullopt;
  ChannelRanges ranges;
  for (std::size_t channel = 0; channel < tensor.channel_min.size(); ++channel) {
    ranges.low.push_back(std::min(0.0, static_cast<double>(tensor.channel_min[channel])));
    ranges.high.push_back(std::max(0.0, static_cast<double>(tensor.channel_max[channel])));
  }
  ranges.mean_square = tensor.channel_mean_square;
  return ranges;
}

SmoothReader smooth_reader(int input, const LinearLayer& layer, std::vector<double> of_outputs) {
  const std::size_t channels = to_size(layer.layout.inputs);
  SmoothReader reader{.input = input,
                      .layer = &layer,
                      .of_outputs = std::move(of_outputs),
                      .largest = std::vector<double>(channels, 0.0),
                      .squares = std::vector<double>(channels, 0.0)};
  const auto values = layer.weight->values<float>();
  layer.layout.for_each_run([&](std::int64_t channel, std::int64_t output, std::int64_t offset) {
    for (const float value : values.subspan(to_size(offset), to_size(layer.layout.kernel))) {
      const double weight = std::abs(static_cast<double>(value)) * output_factor(reader, output);
      reader.largest[to_size(channel)] = std::max(reader.largest[to_size(channel)], weight);
      reader.squares[to_size(channel)] += weight * weight;
    }
  });
  return reader;
}

double expected_error(const std::vector<ChannelRanges>& ranges,
                      const std::vector<SmoothReader>& readers, const std::vector<double>& scales,
                      bool per_channel_weights) {
  double error = 0;
  for (const SmoothReader& reader : readers) {
    const ChannelRanges& input = ranges[to_size(reader.input)];
    const double step = activation_step(input, scales);
    const std::vector<double> steps = weight_steps(reader, scales, per_channel_weights);
    double activations = 0;
    for (std::size_t channel = 0; channel < scales.size(); ++channel)
      activations += reader.squares[channel] * scales[channel] * scales[channel];
    double weights = 0;
    reader.layer->layout.for_each_run([&](std::int64_t channel, std::int64_t output, std::int64_t) {
      const double scaled_step = steps[to_size(output)] / scales[to_size(channel)];
      weights += scaled_step * scaled_step * input.mean_square[to_size(channel)];
    });
    error += step * step * activations + static_cast<double>(reader.layer->layout.kernel) * weights;
  }
  return error / 12;
}

std::optional<SmoothChoice> smooth_choice(const std::vector<ChannelRanges>& ranges,
                                          const std::vector<SmoothReader>& readers,
                                          const SmoothOptions& options) {
  const std::vector<double> activations = largest_activations(ranges);
  const std::vector<double> weights = largest_weights(activations.size(), readers);
  if (options.alpha) {
    auto scales = scales_for(*options.alpha, activations, weights);
    if (!scales) return std::nullopt;
    return SmoothChoice{.alpha = *options.alpha, .scales = std::move(*scales)};
  }
  const std::vector<double> ones(activations.size(), 1.0);
  const double plain = expected_error(ranges, readers, ones, options.per_channel_weights);
  std::optional<SmoothChoice> best;
  double least = plain;
  for (int step = 0; step <= kAlphas; ++step) {
    const double alpha = static_cast<double>(step) / kAlphas;
    auto scales = scales_for(alpha, activations, weights);
    if (!scales) return std::nullopt;
    const double error = expected_error(ranges, readers, *scales, options.per_channel_weights);
    if (!(error < least)) continue;
    least = error;
    best = SmoothChoice{.alpha = alpha, .scales = std::move(*scales), .share = error / plain};
  }
  return best;
}

}  // namespace quantsearch::equalizing
