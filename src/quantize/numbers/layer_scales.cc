#include "quantize/numbers/layer_scales.h"

#include <fmt/core.h>

#include <algorithm>

#include "quantize/numbers/bias.h"
#include "quantize/numbers/once_per_key.h"
#include "quantize/numbers/overrides.h"
#include "quantize/numbers/weight_ranges.h"
#include "quantize/placement/tensor_overrides.h"
#include "quantsearch/internal/model/linear_layer.h"

namespace quantsearch {

namespace {

/// True for a bias that can have one scale per channel. Others (a matrix added by Gemm, a scalar)
/// stay float.
bool is_vector(const Tensor& bias, std::int64_t channels) {
  return bias.size() == channels && !bias.shape().empty() && bias.shape().back() == channels;
}

/// The parameters of the tensor times `factor`, which is positive.
TensorParams times(TensorParams params, float factor) {
  for (float& scale : params.scales) scale *= factor;
  return params;
}

/// True when integer kernels of `node` accept a weight stored like this: 8 bits, one scale or one
/// per output channel, and for a Conv equal zero points.
bool kernel_takes(const Node& node, const QuantizedTensor& weight) {
  const TensorParams& params = weight.params;
  if (bits_of(params.type) != 8) return false;
  if (params.axis < 0) return true;
  if (params.axis != channel_axis(node, weight.integers)) return false;
  return !node.is("Conv") || std::ranges::all_of(params.zero_points, [&](std::int64_t zero_point) {
    return zero_point == params.zero_points[0];
  });
}

/// The grid with which the model stores the weight, if a kernel accepts it and no option requires
/// another; else null.
std::shared_ptr<const QuantizedTensor> kept_grid(const PlanView& view, const LayerScales& layer) {
  const StoredTensors& stored = view.plan.stored;
  const auto found = stored.find(layer.weight);
  if (found == stored.end() || layer.wanted != nullptr || layer.factor <= 0) return nullptr;
  const QuantizeOptions& options = view.options;
  if (options.power_of_two || options.int16_scale || options.npu.enabled) return nullptr;
  return kernel_takes(view.node(layer.node), *found->second) ? found->second : nullptr;
}

void take_grid(LayerScales& layer) {
  layer.params = times(layer.stored->params, layer.factor);
  layer.options.type = layer.params.type;
  layer.options.axis = layer.params.axis;
  layer.options.symmetric = std::ranges::all_of(
      layer.params.zero_points, [](std::int64_t zero_point) { return zero_point == 0; });
}

std::vector<LayerScales> collect_layers(const PlanView& view) {
  std::vector<LayerScales> layers;
  for (int at = 0; at < view.node_count(); ++at) {
    const NodePlan& node_plan = view.planned(at);
    if (!node_plan.quantized || !has_weight(node_plan.rule->kind)) continue;
    const Node& node = view.node(at);
    const Tensor* weight = view.index.initializer(node.inputs[1]);
    if (weight == nullptr) continue;  // MatMul of two activations
    LayerScales layer;
    layer.node = at;
    layer.weight = node.inputs[1];
    layer.wanted = find_override(view.options, layer.weight);
    layer.options =
        weight_options(view.options, node_plan.weight, channel_axis(node, *weight), layer.wanted);
    layer.input = scaled_input(view, at);
    layer.input_type = node_plan.activation;
    if (!node.is("MatMul")) layer.bias = node.input(2);
    if (node.is("Gemm")) {
      layer.factor = node.float_attribute("alpha", 1);
      layer.bias_factor = node.float_attribute("beta", 1);
    }
    if (node_plan.bias_add) layer.bias = node_plan.bias_add->bias;
    layer.wanted_bias = find_override(view.options, layer.bias);
    layer.stored = kept_grid(view, layer);
    if (layer.stored != nullptr) take_grid(layer);
    layers.push_back(std::move(layer));
  }
  return layers;
}

struct RangeKey {
  std::string weight;
  DataType type = DataType::undefined;
  int axis = -1;
  float factor = 1;
  auto operator<=>(const RangeKey&) const = default;
};

BiasForm bias_form(const PlanView& view, const LayerScales& layer, const Activations& activations) {
  const Tensor* bias = layer.bias.empty() ? nullptr : view.index.initializer(layer.bias);
  if (bias == nullptr) return BiasForm::unchanged;
  const Tensor& weight = *view.index.initializer(layer.weight);
  if (!is_vector(*bias, output_channels(view.node(layer.node), weight))) return BiasForm::unchanged;
  if (layer.wanted_bias != nullptr) {
    const bool plain = layer.wanted_bias->type.value_or(DataType::int32) == DataType::int32 &&
                       !fixes_scales(*layer.wanted_bias);
    if (!plain) return BiasForm::own;
  } else if (!view.options.quantize_bias) {
    return BiasForm::unchanged;
  } else if (view.options.bias_type == BiasType::like_weight) {
    return BiasForm::own;
  }
  if (activations.find(layer.input, layer.input_type) == nullptr) return BiasForm::unchanged;
  const bool narrow = view.options.bias_type == BiasType::int16 && layer.wanted_bias == nullptr;
  return narrow ? BiasForm::shifted : BiasForm::product;
}

[[noreturn]] void refuse_bias(const LayerScales& layer, double factor) {
  throw InvalidInput(fmt::format(
      "quantize: TensorQuantOverrides of '{}': its scale is {:.4g} times too small for the int32 "
      "bias '{}', which would overflow; give a larger one, or override the bias too",
      layer.weight, factor, layer.bias));
}

/// Widens the weight ranges until the int32 bias fits.
void make_room_for_bias(LayerScales& layer, const Tensor& bias, const Activations& activations) {
  if (layer.bias_form != BiasForm::product) return;
  const float input_scale = activations.find(layer.input, layer.input_type)->scales[0];
  if (layer.stored != nullptr) {
    // The grid must not change, so a bias that does not fit stays float.
    if (shortage_for_bias(layer.params, bias, input_scale) > 1)
      layer.bias_form = BiasForm::unchanged;
    return;
  }
  if (layer.wanted != nullptr && fixes_scales(*layer.wanted)) {
    const double factor = shortage_for_bias(layer.params, bias, input_scale);
    if (factor > 1) refuse_bias(layer, factor);
    return;
  }
  layer.widened = widen_for_bias(layer.ranges, bias, input_scale, layer.options);
}

void set_weight_params(LayerScales& layer) {
  layer.params = {
      .type = layer.options.type, .scales = {}, .zero_points = {}, .axis = layer.options.axis};
  for (const Range& range : layer.ranges) {
    const ScaleZeroPoint found = weight_scale(range, layer.options);
    layer.params.scales.push_back(found.scale);
    layer.params.zero_points.push_back(found.zero_point);
  }
}

PlainParameters plain_parameters(const WeightOptions& options, std::vector<Range> ranges) {
  return {.type = options.type,
          .symmetric = options.symmetric,
          .reduce_range = options.reduce_range,
          .rounding = scale_rounding(options),
          .axis = options.axis,
          .ranges = std::move(ranges)};
}

/// The parameters of a bias that is quantized like a weight: unless overridden per-tensor and
/// symmetric, in its own range.
TensorParams own_bias_params(const LayerScales& layer, const Tensor& bias,
                             const QuantizeOptions& options) {
  static const TensorOverride kNothing;
  const TensorOverride& wanted = layer.wanted_bias != nullptr ? *layer.wanted_bias : kNothing;
  WeightOptions like_weight = weight_options(options, layer.options.type, 0, nullptr);
  if (layer.wanted_bias != nullptr) like_weight.type = wanted.type.value_or(DataType::int32);
  like_weight.symmetric = wanted.symmetric.value_or(true);
  like_weight.reduce_range = wanted.reduce_range.value_or(false);
  like_weight.axis = wanted.axis ? 0 : -1;
  // 32 bits are enough for the whole range.
  if (like_weight.type == DataType::int32) like_weight.range = WeightRange::min_max;
  const std::vector<Range> ranges = find_weight_ranges(bias.reshaped({bias.size()}), like_weight);
  return overridden_params(wanted, plain_parameters(like_weight, ranges));
}

}  // namespace

WeightOptions weight_options(const QuantizeOptions& options, DataType type, int axis,
                             const TensorOverride* wanted) {
  WeightOptions result{.type = type,
                       .symmetric = options.weight_symmetric,
                       .reduce_range = options.reduce_range,
                       .power_of_two = options.power_of_two,
                       .power_of_two_rounding = options.power_of_two_rounding,
                       .int16_scale = options.int16_scale,
                       .range = options.weight_range,
                       .axis = options.per_channel ? axis : -1};
  if (wanted == nullptr) return result;
  result.type = wanted->type.value_or(result.type);
  result.symmetric = wanted->symmetric.value_or(result.symmetric);
  result.reduce_range = wanted->reduce_range.value_or(result.reduce_range);
  result.axis = wanted->axis ? axis : -1;
  return result;
}

int channel_axis(const Node& node, const Tensor& weight) {
  const auto layout = weight_layout(node, weight.shape());
  return layout ? layout->output_axis.value_or(-1) : -1;
}

std::int64_t output_channels(const Node& node, const Tensor& weight) {
  const auto layout = weight_layout(node, weight.shape());
  return layout ? layout->outputs : 0;
}

std::string scaled_input(const PlanView& view, int node) {
  const std::string& input = view.node(node).inputs[0];
  const auto producer = view.index.producer(input);
  if (!producer) return input;
  const NodePlan& before = view.planned(*producer);
  const bool merged = before.quantized && before.rule->kind == OperatorKind::padding &&
                      !view.plan.pairs.contains(input);
  return merged ? view.node(*producer).inputs[0] : input;
}

std::vector<LayerScales> choose_layer_scales(const PlanView& view, const Activations& activations,
                                             ThreadPool& pool) {
  std::vector<LayerScales> layers = collect_layers(view);
  const auto ranges = once_per_key<RangeKey, std::vector<Range>, LayerScales>(
      layers, pool,
      [](const LayerScales& layer) {
        return RangeKey{.weight = layer.weight,
                        .type = layer.options.type,
                        .axis = layer.options.axis,
                        .factor = layer.factor};
      },
      [&](const LayerScales& layer) {
        return find_weight_ranges(scaled(*view.index.initializer(layer.weight), layer.factor),
                                  layer.options);
      });
  for (std::size_t at = 0; at < layers.size(); ++at) {
    LayerScales& layer = layers[at];
    layer.ranges = *ranges[at];
    if (layer.wanted != nullptr) {
      layer.params =
          overridden_params(*layer.wanted, plain_parameters(layer.options, layer.ranges));
      layer.ranges = overridden_ranges(*layer.wanted, std::move(layer.ranges));
    }
    layer.bias_form = bias_form(view, layer, activations);
    if (layer.bias_form != BiasForm::unchanged) {
      const Tensor bias = scaled(*view.index.initializer(layer.bias), layer.bias_factor);
      make_room_for_bias(layer, bias, activations);
      if (layer.bias_form == BiasForm::own)
        layer.bias_params = own_bias_params(layer, bias, view.options);
    }
    const bool is_settled =
        layer.stored != nullptr || (layer.wanted != nullptr && gives_params(*layer.wanted));
    if (!is_settled) set_weight_params(layer);
  }
  return layers;
}

}  // namespace quantsearch
