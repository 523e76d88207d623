#include "transform/channel_affine.h"

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>

#include "quantsearch/internal/base/sizes.h"

namespace quantsearch {

namespace {

std::optional<std::vector<double>> bias_of(GraphEditor& editor, const FoldableLayer& layer) {
  const Node& node = editor.node(layer.node);
  if (node.input(2).empty()) return std::vector<double>(to_size(layer.layout.outputs), 0.0);
  const Tensor* bias = editor.constant(node.input(2));
  if (bias == nullptr) return std::nullopt;
  return bias_per_channel(node, *bias, layer.layout.outputs);
}

}  // namespace

Tensor scale_outputs(const WeightLayout& layout, const Tensor& weight,
                     const std::vector<double>& scale) {
  Tensor scaled = weight;
  const std::span<float> values = scaled.mutable_values<float>();
  layout.for_each_run([&](std::int64_t, std::int64_t output, std::int64_t offset) {
    for (float& value : values.subspan(to_size(offset), to_size(layout.kernel)))
      value = static_cast<float>(value * scale[to_size(output)]);
  });
  return scaled;
}

LinearLayerOrObjection linear_layer(GraphEditor& editor, int node) {
  const Node& candidate = editor.node(node);
  const Tensor* weight = editor.constant(candidate.input(1));
  if (weight == nullptr) return {std::nullopt, "the weight is not constant"};
  if (weight->type() != DataType::float32)
    return {std::nullopt, "the weight is " + to_string(weight->type())};
  const auto layout = weight_layout(candidate, weight->shape());
  if (!layout)
    return {std::nullopt, "the weight has an unsupported shape " + to_string(weight->shape())};
  const FoldableLayer layer{
      .node = node, .layout = *layout, .output_rank = static_cast<int>(weight->shape().size())};
  if (!bias_of(editor, layer))
    return {std::nullopt, "the bias is not a constant of one float32 per channel"};
  return {layer, ""};
}

void fold_into(GraphEditor& editor, const FoldableLayer& layer, const ChannelAffine& affine) {
  const std::vector<double> bias = *bias_of(editor, layer);
  Tensor folded(DataType::float32, {layer.layout.outputs});
  const std::span<float> values = folded.mutable_values<float>();
  bool is_zero = true;
  for (std::size_t channel = 0; channel < values.size(); ++channel) {
    values[channel] =
        static_cast<float>(affine.scale[channel] * bias[channel] + affine.shift[channel]);
    is_zero = is_zero && values[channel] == 0.0F;
  }
  const std::string weight_name(editor.node(layer.node).input(1));
  const bool scales = std::ranges::any_of(affine.scale, [](double scale) { return scale != 1.0; });
  if (scales) {
    Tensor weight = scale_outputs(layer.layout, *editor.constant(weight_name), affine.scale);
    editor.set_constant(layer.node, 1, weight_name, std::move(weight));
  }
  if (editor.node(layer.node).input(2).empty() && is_zero) return;  // there is no bias to add
  editor.set_constant(layer.node, 2, weight_name + "_bias", std::move(folded));
  editor.node(layer.node).remove_attribute("beta");  // the bias contains it; absent means 1
}

}  // namespace quantsearch
