#include "finetune/write_back.h"

#include <algorithm>
#include <cmath>

#include "quantsearch/base/error.h"

namespace quantsearch::reconstruction {

namespace {

const Tensor& stored(const Model& model, const std::string& name) {
  const Tensor* tensor = model.graph.find_initializer(name);
  if (tensor == nullptr) throw InternalError("finetune: there is no initializer '" + name + "'");
  return *tensor;
}

/// One entry per output from one per tensor or per channel.
template <typename T>
std::vector<T> per_output(const LayerGeometry& geometry, const std::vector<T>& entries) {
  std::vector<T> spread(static_cast<std::size_t>(geometry.shape.outputs()), entries[0]);
  if (entries.size() == 1) return spread;
  for (std::int64_t output = 0; output < geometry.shape.outputs(); ++output) {
    spread[static_cast<std::size_t>(output)] =
        entries[static_cast<std::size_t>(channel_of(geometry, output))];
  }
  return spread;
}

std::vector<float> floats_of(const Tensor& tensor) {
  const std::span<const float> values = tensor.values<float>();
  return {values.begin(), values.end()};
}

std::vector<float> scales_of(const TunableLayer& layer, const Model& quantized) {
  return floats_of(stored(quantized, layer.weight.scale));
}

/// Zero points that are all 0 on a signed type: the grid was made symmetric, [-127, 127].
IntegerLimits limits_of(DataType type, const std::vector<std::int32_t>& zero_points,
                        bool reduce_range) {
  const bool is_signed =
      type == DataType::int8 || type == DataType::int16 || type == DataType::int4;
  const bool symmetric =
      is_signed && std::ranges::all_of(zero_points, [](std::int32_t zero) { return zero == 0; });
  return integer_limits(type, symmetric, reduce_range);
}

std::vector<float> float_bias(const TunableLayer& layer, const Model& quantized,
                              const Model& reference) {
  if (!layer.float_bias.empty()) return floats_of(to_float32(stored(quantized, layer.float_bias)));
  if (!layer.bias) return {};
  const Node& node = reference.graph.nodes[static_cast<std::size_t>(layer.float_node)];
  std::vector<float> values = floats_of(to_float32(stored(reference, layer.bias_name)));
  const float beta = node.is("Gemm") ? node.float_attribute("beta", 1.0F) : 1.0F;
  for (float& value : values) value *= beta;
  return values;
}

/// [groups][K]; empty when the layer has no pairs.
std::vector<PairedInput> paired_inputs(const TunableLayer& layer) {
  if (layer.pairs.empty()) return {};
  const LayerShape& shape = layer.geometry.shape;
  std::vector<PairedInput> inputs(static_cast<std::size_t>(shape.groups * shape.columns));
  for (std::int64_t group = 0; group < shape.groups; ++group) {
    const std::span<PairedInput> here = std::span(inputs).subspan(
        static_cast<std::size_t>(group * shape.columns), static_cast<std::size_t>(shape.columns));
    for (const WeightPair& pair : layer.pairs[static_cast<std::size_t>(group)]) {
      const auto first = static_cast<float>(pair.first_maximum);
      const auto second = static_cast<float>(pair.second_maximum);
      here[static_cast<std::size_t>(pair.first)] = {
          .partner = pair.second, .maximum = first, .partner_maximum = second};
      here[static_cast<std::size_t>(pair.second)] = {
          .partner = pair.first, .maximum = second, .partner_maximum = first};
    }
  }
  return inputs;
}

Tensor integer_tensor(DataType type, const Shape& shape, const std::vector<std::int32_t>& codes) {
  return convert(Tensor::of<std::int32_t>(shape, codes), type);
}

/// The grid of the bias follows the weights when it was s_in * s_w before; another grid stays what
/// it is.
std::vector<float> bias_scales(const TunableLayer& layer, const Solution& solution,
                               const Model& quantized) {
  const std::vector<float> now =
      per_output(layer.geometry, floats_of(stored(quantized, layer.bias->scale)));
  if (!layer.input_scale) return now;
  const std::vector<float> before = per_output(layer.geometry, scales_of(layer, quantized));
  std::vector<float> made = now;
  for (std::size_t output = 0; output < now.size(); ++output) {
    const float product = *layer.input_scale * before[output];
    if (std::abs(now[output] - product) > 1e-5F * product) return now;
    made[output] = *layer.input_scale * solution.scales[output];
  }
  return made;
}

/// [outputs] -> as many entries as the parameter had.
std::vector<float> entries_of(const LayerGeometry& geometry, const std::vector<float>& per_output,
                              std::int64_t entries) {
  std::vector<float> made(static_cast<std::size_t>(entries), per_output[0]);
  if (entries == 1) return made;
  for (std::int64_t output = 0; output < geometry.shape.outputs(); ++output) {
    made[static_cast<std::size_t>(channel_of(geometry, output))] =
        per_output[static_cast<std::size_t>(output)];
  }
  return made;
}

void write_scales(const LayerGeometry& geometry, const std::string& name, const std::string& label,
                  const std::vector<float>& scales, Network& network,
                  std::map<std::string, TensorParams>& tensors) {
  const Tensor& before = stored(network.model(), name);
  const std::vector<float> entries = entries_of(geometry, scales, before.size());
  if (const auto params = tensors.find(label); params != tensors.end())
    params->second.scales = entries;
  network.replace_initializer(name, Tensor::of<float>(before.shape(), entries));
}

std::vector<std::int32_t> bias_codes(const std::vector<float>& bias,
                                     const std::vector<float>& scales, DataType type) {
  const IntegerLimits limits = integer_limits(type, false);
  std::vector<std::int32_t> codes;
  for (std::size_t output = 0; output < scales.size(); ++output) {
    const double code =
        std::nearbyint(static_cast<double>(bias[output]) / static_cast<double>(scales[output]));
    codes.push_back(static_cast<std::int32_t>(
        std::clamp(code, static_cast<double>(limits.low), static_cast<double>(limits.high))));
  }
  return codes;
}

void write_bias(const TunableLayer& layer, const Solution& solution, Network& network,
                std::map<std::string, TensorParams>& tensors) {
  if (solution.bias.empty()) return;
  if (!layer.float_bias.empty()) {
    const Shape shape = stored(network.model(), layer.float_bias).shape();
    network.replace_initializer(layer.float_bias, Tensor::of<float>(shape, solution.bias));
    return;
  }
  if (!layer.bias) return;
  const std::vector<float> scales = bias_scales(layer, solution, network.model());
  const Tensor& before = stored(network.model(), layer.bias->integers);
  const DataType limit_type = before.type();
  const std::vector<std::int32_t> codes = bias_codes(solution.bias, scales, limit_type);
  const Shape shape = before.shape();
  network.replace_initializer(layer.bias->integers, integer_tensor(limit_type, shape, codes));
  write_scales(layer.geometry, layer.bias->scale, layer.bias_name, scales, network, tensors);
}

}  // namespace

LayerWeights layer_weights(const TunableLayer& layer, const Model& quantized,
                           const Model& reference, const FinetuneOptions& options) {
  const Tensor& integers = stored(quantized, layer.weight.integers);
  const std::vector<float> scales = scales_of(layer, quantized);
  std::vector<std::int32_t> zero_points(scales.size(), 0);
  if (!layer.weight.zero_point.empty()) {
    const std::vector<std::int64_t> read = to_int64s(stored(quantized, layer.weight.zero_point));
    std::ranges::transform(read, zero_points.begin(),
                           [](std::int64_t zero) { return static_cast<std::int32_t>(zero); });
  }
  LayerWeights made;
  made.shape = layer.geometry.shape;
  made.values = to_rows<float>(layer.geometry, layer.float_weight.values<float>());
  made.bias = float_bias(layer, quantized, reference);
  made.grid = {.scales = per_output(layer.geometry, scales),
               .zero_points = per_output(layer.geometry, zero_points),
               .limits = limits_of(integers.type(), zero_points, options.reduce_range),
               .per_tensor = scales.size() == 1,
               .power_of_two = options.power_of_two,
               .pairs = paired_inputs(layer)};
  return made;
}

Solution stored_solution(const TunableLayer& layer, const Model& quantized) {
  Solution made;
  const std::vector<std::int64_t> codes = to_int64s(stored(quantized, layer.weight.integers));
  const std::vector<std::int64_t> rows = to_rows<std::int64_t>(layer.geometry, codes);
  made.codes.assign(rows.begin(), rows.end());
  made.scales = per_output(layer.geometry, scales_of(layer, quantized));
  if (!layer.float_bias.empty()) {
    made.bias = floats_of(to_float32(stored(quantized, layer.float_bias)));
  } else if (layer.bias) {
    const std::vector<float> scales =
        per_output(layer.geometry, floats_of(stored(quantized, layer.bias->scale)));
    const std::vector<std::int64_t> values = to_int64s(stored(quantized, layer.bias->integers));
    for (std::size_t output = 0; output < scales.size(); ++output) {
      made.bias.push_back(static_cast<float>(values[output]) * scales[output]);
    }
  }
  return made;
}

Solution as_written(const TunableLayer& layer, Solution solution, const Model& quantized) {
  if (solution.bias.empty() || !layer.bias) return solution;
  const std::vector<float> scales = bias_scales(layer, solution, quantized);
  const DataType type = stored(quantized, layer.bias->integers).type();
  const std::vector<std::int32_t> codes = bias_codes(solution.bias, scales, type);
  for (std::size_t output = 0; output < scales.size(); ++output)
    solution.bias[output] = static_cast<float>(codes[output]) * scales[output];
  return solution;
}

StoredTensors stored_tensors(const TunableLayer& layer, const Model& quantized) {
  std::vector<std::string> names = {layer.weight.integers, layer.weight.scale};
  if (layer.bias) names.insert(names.end(), {layer.bias->integers, layer.bias->scale});
  if (!layer.float_bias.empty()) names.push_back(layer.float_bias);
  StoredTensors tensors;
  for (const std::string& name : names) tensors[name] = stored(quantized, name);
  return tensors;
}

bool scales_may_change(const TunableLayer& layer) {
  return !layer.geometry.is_transposed_convolution() || layer.geometry.shape.groups == 1;
}

void write_solution(const TunableLayer& layer, const Solution& solution, Network& network,
                    std::map<std::string, TensorParams>& tensors) {
  write_bias(layer, solution, network, tensors);  // reads the scales of the weights as they were
  const Tensor& before = stored(network.model(), layer.weight.integers);
  const std::vector<std::int32_t> codes = from_rows<std::int32_t>(layer.geometry, solution.codes);
  Tensor integers = integer_tensor(before.type(), layer.geometry.weight_shape, codes);
  write_scales(layer.geometry, layer.weight.scale, layer.weight_name, solution.scales, network,
               tensors);
  network.replace_initializer(layer.weight.integers, std::move(integers));
}

}  // namespace quantsearch::reconstruction
