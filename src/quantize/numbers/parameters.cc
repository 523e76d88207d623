#include "quantize/numbers/parameters.h"

#include <fmt/core.h>

#include "quantize/numbers/bias.h"
#include "quantize/numbers/once_per_key.h"
#include "quantize/numbers/pair_safety.h"
#include "quantize/numbers/weight_ranges.h"
#include "quantsearch/internal/model/linear_layer.h"

namespace quantsearch {

namespace {

struct WeightKey {
  std::string weight;
  DataType type = DataType::undefined;
  int axis = -1;
  float factor = 1;
  std::vector<float> scales;
  std::vector<std::int64_t> zero_points;
  std::vector<std::int32_t> input_maxima;
  auto operator<=>(const WeightKey&) const = default;
};

WeightKey key_of(const LayerScales& layer) {
  return {.weight = layer.weight,
          .type = layer.params.type,
          .axis = layer.params.axis,
          .factor = layer.factor,
          .scales = layer.params.scales,
          .zero_points = layer.params.zero_points,
          .input_maxima = layer.limits.value_or(PairLimits{}).input_maxima};
}

std::optional<QuantizedTensor> integer_bias(const LayerScales& layer, const Tensor& bias,
                                            const Activations& activations) {
  switch (layer.bias_form) {
    case BiasForm::unchanged:
      return std::nullopt;
    case BiasForm::own:
      return quantize_bias_with(bias, layer.bias_params);
    case BiasForm::product:
    case BiasForm::shifted: {
      const float input_scale = activations.find(layer.input, layer.input_type)->scales[0];
      const std::vector<float> scales = bias_scales(input_scale, layer.params);
      if (!can_be_integer(scales)) return std::nullopt;
      return layer.bias_form == BiasForm::product ? quantize_bias(bias, scales)
                                                  : quantize_shifted_bias(bias, scales);
    }
  }
  return std::nullopt;
}

std::string note_of(const LayerScales& layer) {
  if (layer.widened > 1) {
    return fmt::format(
        "its weight scale was enlarged up to {:.4g} times so that the int32 bias '{}' does not "
        "overflow",
        layer.widened, layer.bias);
  }
  if (layer.bias_form == BiasForm::shifted) {
    return fmt::format(
        "its bias '{}' is int16, which ONNX Runtime's CPU provider computes in float", layer.bias);
  }
  if (layer.bias_form == BiasForm::own) {
    return fmt::format(
        "its bias '{}' is {} with a scale of its own, which ONNX Runtime's CPU provider computes "
        "in float",
        layer.bias, to_string(layer.bias_params.type));
  }
  return "";
}

LayerParameters layer_parameters(const LayerScales& layer,
                                 const std::shared_ptr<const QuantizedTensor>& weight,
                                 const GraphIndex& index, const Activations& activations) {
  LayerParameters made{.weight = layer.weight,
                       .quantized_weight = weight,
                       .bias = layer.bias,
                       .quantized_bias = std::nullopt,
                       .float_bias = std::nullopt,
                       .note = note_of(layer)};
  if (layer.bias.empty()) return made;
  const Tensor bias = scaled(*index.initializer(layer.bias), layer.bias_factor);
  made.quantized_bias = integer_bias(layer, bias.reshaped({bias.size()}), activations);
  if (!made.quantized_bias && layer.bias_factor != 1) made.float_bias = bias;
  return made;
}

}  // namespace

std::map<int, LayerParameters> quantize_parameters(const PlanView& view,
                                                   const Activations& activations,
                                                   const std::vector<LayerScales>& layers,
                                                   ThreadPool& pool) {
  const auto weights = once_per_key<WeightKey, QuantizedTensor, LayerScales>(
      layers, pool, key_of, [&](const LayerScales& layer) {
        if (layer.stored != nullptr)
          return QuantizedTensor{.integers = layer.stored->integers, .params = layer.params};
        const Tensor weight = scaled(*view.index.initializer(layer.weight), layer.factor);
        const Node& node = view.node(layer.node);
        if (layer.limits) return quantize_safely(node, weight, layer);
        return quantize_with(weight, layer.params,
                             integer_limits(layer.options.type, layer.options.symmetric,
                                            layer.options.reduce_range));
      });
  std::map<int, LayerParameters> made;
  for (std::size_t at = 0; at < layers.size(); ++at) {
    made.emplace(layers[at].node,
                 layer_parameters(layers[at], weights[at], view.index, activations));
  }
  return made;
}

}  // namespace quantsearch
