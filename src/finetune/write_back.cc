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

/// One entry per output, from one entry per tensor or per channel.
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
  return floats_of(stored(quantized, layer.stored.stored_weight.scale));
}

/// The paired inputs [groups][K]; empty when the layer has no pairs.
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

/// The scales of the bias [outputs]. They are the products of the weight's scales and the input's
/// scale when integer kernels need that, else the stored ones.
std::vector<float> bias_scales(const TunableLayer& layer, const Solution& solution,
                               const Model& quantized) {
  const std::optional<float> input_scale = layer.stored.bias_input_scale;
  if (!input_scale)
    return per_output(layer.geometry,
                      floats_of(stored(quantized, layer.stored.stored_bias->scale)));
  std::vector<float> made = solution.scales;
  for (float& scale : made) scale *= *input_scale;
  return made;
}

/// The entries of a parameter, one or one per channel, from one value per output.
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
  if (!layer.stored.stored_bias) {
    const std::string& name = layer.stored.float_bias;
    const Shape shape = stored(network.model(), name).shape();
    network.replace_initializer(name, Tensor::of<float>(shape, solution.bias));
    return;
  }
  const StoredIntegers& bias = *layer.stored.stored_bias;
  const std::vector<float> scales = bias_scales(layer, solution, network.model());
  const Tensor& before = stored(network.model(), bias.integers);
  const DataType limit_type = before.type();
  const std::vector<std::int32_t> codes = bias_codes(solution.bias, scales, limit_type);
  const Shape shape = before.shape();
  network.replace_initializer(bias.integers, integer_tensor(limit_type, shape, codes));
  write_scales(layer.geometry, bias.scale, layer.stored.bias, scales, network, tensors);
}

}  // namespace

LayerWeights layer_weights(const TunableLayer& layer, const Model& quantized) {
  const std::vector<float> scales = scales_of(layer, quantized);
  const std::vector<std::int64_t> zero_points =
      to_int64s(stored(quantized, layer.stored.stored_weight.zero_point));
  LayerWeights made;
  made.shape = layer.geometry.shape;
  made.values = to_rows<float>(layer.geometry, layer.float_weight.values<float>());
  made.bias = layer.float_bias;
  made.grid = {
      .scales = per_output(layer.geometry, scales),
      .zero_points = per_output(layer.geometry,
                                std::vector<std::int32_t>(zero_points.begin(), zero_points.end())),
      .limits = layer.stored.weight_limits,
      .per_tensor = scales.size() == 1,
      .freedom = layer.stored.weight_scales,
      .pairs = paired_inputs(layer)};
  return made;
}

Solution stored_solution(const TunableLayer& layer, const Model& quantized) {
  Solution made;
  const std::vector<std::int64_t> codes =
      to_int64s(stored(quantized, layer.stored.stored_weight.integers));
  const std::vector<std::int64_t> rows = to_rows<std::int64_t>(layer.geometry, codes);
  made.codes.assign(rows.begin(), rows.end());
  made.scales = per_output(layer.geometry, scales_of(layer, quantized));
  if (const auto& bias = layer.stored.stored_bias) {
    const std::vector<float> scales =
        per_output(layer.geometry, floats_of(stored(quantized, bias->scale)));
    const std::vector<std::int64_t> values = to_int64s(stored(quantized, bias->integers));
    for (std::size_t output = 0; output < scales.size(); ++output) {
      made.bias.push_back(static_cast<float>(values[output]) * scales[output]);
    }
  } else if (!layer.stored.float_bias.empty()) {
    made.bias = floats_of(to_float32(stored(quantized, layer.stored.float_bias)));
  }
  return made;
}

Solution as_written(const TunableLayer& layer, Solution solution, const Model& quantized) {
  if (solution.bias.empty() || !layer.stored.stored_bias) return solution;
  const std::vector<float> scales = bias_scales(layer, solution, quantized);
  const DataType type = stored(quantized, layer.stored.stored_bias->integers).type();
  const std::vector<std::int32_t> codes = bias_codes(solution.bias, scales, type);
  for (std::size_t output = 0; output < scales.size(); ++output)
    solution.bias[output] = static_cast<float>(codes[output]) * scales[output];
  return solution;
}

StoredTensors stored_tensors(const TunableLayer& layer, const Model& quantized) {
  const QuantizedLayer& of = layer.stored;
  std::vector<std::string> names = {of.stored_weight.integers, of.stored_weight.scale};
  if (of.stored_bias) names.insert(names.end(), {of.stored_bias->integers, of.stored_bias->scale});
  if (!of.float_bias.empty()) names.push_back(of.float_bias);
  StoredTensors tensors;
  for (const std::string& name : names) tensors[name] = stored(quantized, name);
  return tensors;
}

void write_solution(const TunableLayer& layer, const Solution& solution, Network& network,
                    std::map<std::string, TensorParams>& tensors) {
  write_bias(layer, solution, network, tensors);
  const StoredIntegers& weight = layer.stored.stored_weight;
  const Tensor& before = stored(network.model(), weight.integers);
  const std::vector<std::int32_t> codes = from_rows<std::int32_t>(layer.geometry, solution.codes);
  Tensor integers = integer_tensor(before.type(), layer.geometry.weight_shape, codes);
  write_scales(layer.geometry, weight.scale, layer.stored.weight, solution.scales, network,
               tensors);
  network.replace_initializer(weight.integers, std::move(integers));
}

}  // namespace quantsearch::reconstruction
