#include "quantize/quantized_layers.h"

#include "quantize/numbers/overrides.h"

namespace quantsearch {

namespace {

ScaleFreedom freedom_of(const LayerScales& layer) {
  const bool is_given = layer.wanted != nullptr && fixes_scales(*layer.wanted);
  if (layer.stored != nullptr || is_given || layer.options.int16_scale) return ScaleFreedom::none;
  if (layer.options.power_of_two) return ScaleFreedom::powers_of_two;
  // A shift converts the bias to the scale of the products, so the ratio of both is fixed.
  return layer.bias_form == BiasForm::shifted ? ScaleFreedom::none : ScaleFreedom::any;
}

}  // namespace

std::vector<QuantizedLayer> quantized_layers(const PlanView& view,
                                             const std::vector<LayerScales>& scales,
                                             const Activations& activations,
                                             const std::map<int, WrittenLayer>& written) {
  std::vector<QuantizedLayer> layers;
  for (const LayerScales& layer : scales) {
    const auto found = written.find(layer.node);
    if (found == written.end()) continue;
    const auto& bias_add = view.planned(layer.node).bias_add;
    const int last = bias_add ? bias_add->node : layer.node;
    QuantizedLayer made{.label = node_label(view.graph, layer.node),
                        .node = found->second.node,
                        .weight = layer.weight,
                        .stored_weight = found->second.weight,
                        .weight_limits = integer_limits(layer.options.type, layer.options.symmetric,
                                                        layer.options.reduce_range),
                        .weight_scales = freedom_of(layer),
                        .pair_limits = layer.limits,
                        .bias = layer.bias,
                        .stored_bias = found->second.bias,
                        .float_bias = found->second.float_bias,
                        .bias_input_scale = std::nullopt,
                        .output = view.node(last).outputs[0]};
    if (made.stored_bias && layer.bias_form == BiasForm::product)
      made.bias_input_scale = activations.find(layer.input, layer.input_type)->scales[0];
    layers.push_back(std::move(made));
  }
  return layers;
}

}  // namespace quantsearch
