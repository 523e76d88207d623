#include "equalize/linear_layer.h"

namespace quantsearch::equalizing {

namespace {

LayerBias bias_of(const GraphIndex& index, const Node& node, std::int64_t outputs) {
  if (!takes_bias(node) || node.input(2).empty()) return {};
  const auto constant = constant_of(index, node.input(2));
  auto values = constant == nullptr ? std::nullopt : bias_per_channel(node, *constant, outputs);
  if (!values) return {.is_readable = false, .values = {}};
  return {.is_readable = true, .values = std::move(*values)};
}

}  // namespace

std::shared_ptr<const Tensor> constant_of(const GraphIndex& index, std::string_view tensor) {
  if (tensor.empty() || index.is_graph_input(tensor)) return nullptr;
  return index.shared_initializer(tensor);
}

std::optional<LinearLayer> linear_layer(const Graph& graph, const GraphIndex& index, int node) {
  const Node& candidate = graph.nodes[static_cast<std::size_t>(node)];
  if (!is_linear(candidate)) return std::nullopt;
  auto weight = constant_of(index, candidate.input(1));
  if (weight == nullptr || weight->type() != DataType::float32) return std::nullopt;
  const auto layout = weight_layout(candidate, weight->shape());
  if (!layout || weight->shape().size() < 2) return std::nullopt;
  return LinearLayer{.node = node,
                     .layout = *layout,
                     .weight = std::move(weight),
                     .bias = bias_of(index, candidate, layout->outputs)};
}

}  // namespace quantsearch::equalizing
