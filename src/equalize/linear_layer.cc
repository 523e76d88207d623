#include "equalize/linear_layer.h"

#include <algorithm>

namespace quantsearch::equalizing {

namespace {

using Order = WeightLayout::Order;

std::int64_t product(const Shape& shape, std::size_t first, std::size_t last) {
  std::int64_t result = 1;
  for (std::size_t axis = first; axis < last; ++axis) result *= shape[axis];
  return result;
}

std::optional<WeightLayout> conv_layout(const Node& node, const Shape& shape) {
  if (shape.size() < 3) return std::nullopt;
  const std::int64_t groups = node.int_attribute("group", 1);
  // The first axis is divided among the groups, the second is of one group.
  if (groups < 1 || shape[0] % groups != 0) return std::nullopt;
  WeightLayout layout{.groups = groups, .kernel = product(shape, 2, shape.size())};
  if (node.is("Conv")) {
    layout.inputs = shape[1] * groups;
    layout.outputs = shape[0];
  } else {
    layout.order = Order::input_major;
    layout.inputs = shape[0];
    layout.outputs = shape[1] * groups;
  }
  return layout;
}

std::optional<WeightLayout> matrix_layout(const Node& node, const Shape& shape) {
  const std::size_t rank = shape.size();
  if (rank < 2 || (node.is("Gemm") && rank != 2)) return std::nullopt;
  if (node.is("Gemm") && node.int_attribute("transB", 0) != 0) {
    return WeightLayout{.inputs = shape[1], .outputs = shape[0]};
  }
  return WeightLayout{.order = Order::input_major,
                      .batches = product(shape, 0, rank - 2),
                      .inputs = shape[rank - 2],
                      .outputs = shape[rank - 1]};
}

std::optional<WeightLayout> layout_of(const Node& node, const Shape& shape) {
  if (std::ranges::any_of(shape, [](std::int64_t size) { return size <= 0; })) return std::nullopt;
  if (node.is("Conv") || node.is("ConvTranspose")) return conv_layout(node, shape);
  if (node.is("Gemm") || node.is("MatMul")) return matrix_layout(node, shape);
  return std::nullopt;
}

LayerBias bias_of(const GraphIndex& index, const Node& node, std::int64_t outputs) {
  if (node.is("MatMul") || node.input(2).empty()) return {};
  const auto constant = constant_of(index, node.input(2));
  const bool is_gemm = node.is("Gemm");
  auto values = constant == nullptr
                    ? std::nullopt
                    : per_channel(*constant, is_gemm ? 2 : 1, is_gemm ? 1 : 0, outputs);
  if (!values) return {.is_readable = false, .values = {}};
  if (is_gemm) {
    for (double& value : *values) value *= static_cast<double>(node.float_attribute("beta", 1));
  }
  return {.is_readable = true, .values = std::move(*values)};
}

}  // namespace

std::shared_ptr<const Tensor> constant_of(const GraphIndex& index, std::string_view tensor) {
  if (tensor.empty() || index.is_graph_input(tensor)) return nullptr;
  return index.shared_initializer(tensor);
}

std::optional<LinearLayer> linear_layer(const Graph& graph, const GraphIndex& index, int node) {
  const Node& candidate = graph.nodes[static_cast<std::size_t>(node)];
  const bool is_linear = candidate.is("Conv") || candidate.is("ConvTranspose") ||
                         candidate.is("Gemm") || candidate.is("MatMul");
  if (!is_linear) return std::nullopt;
  auto weight = constant_of(index, candidate.input(1));
  if (weight == nullptr || weight->type() != DataType::float32) return std::nullopt;
  const auto layout = layout_of(candidate, weight->shape());
  if (!layout) return std::nullopt;
  return LinearLayer{.node = node,
                     .layout = *layout,
                     .weight = std::move(weight),
                     .bias = bias_of(index, candidate, layout->outputs)};
}

std::optional<std::vector<double>> per_channel(const Tensor& constant, int rank, int axis,
                                               std::int64_t channels) {
  const Shape& shape = constant.shape();
  const int own_rank = static_cast<int>(shape.size());
  if (constant.type() != DataType::float32 || own_rank > rank || constant.size() == 0)
    return std::nullopt;
  for (int own = 0; own < own_rank; ++own) {
    const std::int64_t size = shape[static_cast<std::size_t>(own)];
    const bool is_channel_axis = own + rank - own_rank == axis;
    if (size != 1 && !(is_channel_axis && size == channels)) return std::nullopt;
  }
  const auto values = constant.values<float>();
  std::vector<double> result(static_cast<std::size_t>(channels));
  for (std::size_t channel = 0; channel < result.size(); ++channel) {
    result[channel] = static_cast<double>(values[values.size() == 1 ? 0 : channel]);
  }
  return result;
}

}  // namespace quantsearch::equalizing
