#include "transform/channel_affine.h"

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>

namespace quantsearch {

namespace {

std::size_t at(std::int64_t index) { return static_cast<std::size_t>(index); }

// Multiplies block `block` of `block_size` elements by factor(block).
template <typename Factor>
Tensor scale_blocks(const Tensor& weight, std::int64_t block_size, const Factor& factor) {
  Tensor scaled = weight;
  const std::span<float> values = scaled.mutable_values<float>();
  for (std::int64_t index = 0; index < scaled.size(); ++index) {
    values[at(index)] = static_cast<float>(values[at(index)] * factor(index / block_size));
  }
  return scaled;
}

// Conv: [out, in / groups, kernel...]; Gemm with transB: [out, in].
Tensor scale_rows(const Tensor& weight, const std::vector<double>& scale) {
  const std::int64_t row = weight.size() / weight.shape()[0];
  return scale_blocks(weight, row, [&](std::int64_t channel) { return scale[at(channel)]; });
}

// ConvTranspose: [in, out / groups, kernel...]; input channel i belongs to group i / (in / groups).
Tensor scale_transposed(const Tensor& weight, std::int64_t groups,
                        const std::vector<double>& scale) {
  const std::int64_t inputs = weight.shape()[0];
  const std::int64_t outputs = weight.shape()[1];  // of one group
  const std::int64_t kernel = weight.size() / (inputs * outputs);
  return scale_blocks(weight, kernel, [&](std::int64_t block) {
    const std::int64_t group = block / outputs / (inputs / groups);
    return scale[at(group * outputs + block % outputs)];
  });
}

Tensor scaled_weight(const Node& node, const Tensor& weight, const std::vector<double>& scale) {
  if (node.is("ConvTranspose"))
    return scale_transposed(weight, node.int_attribute("group", 1), scale);
  if (node.is("Conv") || node.int_attribute("transB", 0) != 0) return scale_rows(weight, scale);
  return scale_columns(weight, scale);
}

// Output channels as the weight's shape has them; 0 when the shape does not fit the operator.
std::int64_t channels_of(const Node& node, const Shape& weight) {
  if (weight.size() < 2) return 0;
  for (const std::int64_t size : weight) {
    if (size <= 0) return 0;
  }
  if (node.is("Conv")) return weight[0];
  if (node.is("ConvTranspose")) {
    const std::int64_t groups = node.int_attribute("group", 1);
    return groups > 0 && weight[0] % groups == 0 ? weight[1] * groups : 0;
  }
  return weight.size() == 2 ? weight[node.int_attribute("transB", 0) != 0 ? 0 : 1] : 0;
}

std::optional<std::vector<double>> bias_of(GraphEditor& editor, const FoldableLayer& layer) {
  const Node& node = editor.node(layer.node);
  if (node.input(2).empty()) return std::vector<double>(at(layer.channels), 0.0);
  const Tensor* bias = editor.constant(node.input(2));
  if (bias == nullptr || bias->type() != DataType::float32) return std::nullopt;
  // A Gemm's bias broadcasts to [rows, out]; the others' is [out].
  const bool is_gemm = node.is("Gemm");
  auto values = per_channel(*bias, is_gemm ? 2 : 1, is_gemm ? 1 : 0, layer.channels);
  if (values && is_gemm) {
    for (double& value : *values) value *= static_cast<double>(node.float_attribute("beta", 1));
  }
  return values;
}

}  // namespace

Tensor scale_columns(const Tensor& weight, const std::vector<double>& scale) {
  const auto columns = std::ssize(scale);
  return scale_blocks(weight, 1, [&](std::int64_t index) { return scale[at(index % columns)]; });
}

std::optional<std::vector<double>> per_channel(const Tensor& constant, std::size_t rank,
                                               std::size_t axis, std::int64_t channels) {
  const Shape& shape = constant.shape();
  if (constant.type() != DataType::float32 || shape.size() > rank || constant.size() == 0)
    return std::nullopt;
  const std::size_t missing = rank - shape.size();  // leading axes that broadcasting adds
  for (std::size_t own = 0; own < shape.size(); ++own) {
    const bool is_channel_axis = own + missing == axis;
    if (shape[own] != 1 && !(is_channel_axis && shape[own] == channels)) return std::nullopt;
  }
  const auto values = constant.values<float>();
  std::vector<double> result(at(channels));
  for (std::size_t channel = 0; channel < result.size(); ++channel) {
    result[channel] = static_cast<double>(values[values.size() == 1 ? 0 : channel]);
  }
  return result;
}

bool is_linear_layer(const Node& node) {
  return node.is("Conv") || node.is("ConvTranspose") || node.is("Gemm");
}

LinearLayerOrObjection linear_layer(GraphEditor& editor, int node) {
  const Node& candidate = editor.node(node);
  const Tensor* weight = editor.constant(candidate.input(1));
  if (weight == nullptr) return {std::nullopt, "the weight is not constant"};
  if (weight->type() != DataType::float32)
    return {std::nullopt, "the weight is " + to_string(weight->type())};
  const FoldableLayer layer{.node = node,
                            .channels = channels_of(candidate, weight->shape()),
                            .output_rank = weight->shape().size()};
  if (layer.channels == 0)
    return {std::nullopt, "the weight has an odd shape " + to_string(weight->shape())};
  if (!bias_of(editor, layer))
    return {std::nullopt, "the bias is not a constant of one float32 per channel"};
  return {layer, ""};
}

void fold_into(GraphEditor& editor, const FoldableLayer& layer, const ChannelAffine& affine) {
  const std::vector<double> bias = *bias_of(editor, layer);
  Tensor folded(DataType::float32, {layer.channels});
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
    Tensor weight =
        scaled_weight(editor.node(layer.node), *editor.constant(weight_name), affine.scale);
    editor.set_constant(layer.node, 1, weight_name, std::move(weight));
  }
  if (editor.node(layer.node).input(2).empty() && is_zero) return;  // a scaling alone needs no bias
  editor.set_constant(layer.node, 2, weight_name + "_bias", std::move(folded));
  editor.node(layer.node).remove_attribute("beta");  // it is in the bias now; absent means 1
}

}  // namespace quantsearch
