#include "quantsearch/internal/model/linear_layer.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <span>

namespace quantsearch {

namespace {

using Order = WeightLayout::Order;

std::int64_t product(std::span<const std::int64_t> sizes) {
  return std::accumulate(sizes.begin(), sizes.end(), std::int64_t{1}, std::multiplies<>());
}

std::optional<WeightLayout> convolution_layout(const Node& node, const Shape& shape) {
  if (shape.size() < 3) return std::nullopt;
  const std::int64_t groups = node.int_attribute("group", 1);
  // The first axis is divided among the groups, the second counts the channels of one group.
  if (groups < 1 || shape[0] % groups != 0) return std::nullopt;
  WeightLayout layout{.groups = groups, .kernel = product(std::span(shape).subspan(2))};
  if (node.is("Conv")) {
    layout.inputs = shape[1] * groups;
    layout.outputs = shape[0];
    layout.output_axis = 0;
  } else {
    layout.order = Order::input_major;
    layout.inputs = shape[0];
    layout.outputs = shape[1] * groups;
    if (groups == 1) layout.output_axis = 1;
  }
  return layout;
}

std::optional<WeightLayout> gemm_layout(const Node& node, const Shape& shape) {
  if (shape.size() != 2) return std::nullopt;
  if (node.int_attribute("transB", 0) != 0)
    return WeightLayout{.inputs = shape[1], .outputs = shape[0], .output_axis = 0};
  return WeightLayout{
      .order = Order::input_major, .inputs = shape[0], .outputs = shape[1], .output_axis = 1};
}

std::optional<WeightLayout> matmul_layout(const Shape& shape) {
  const std::size_t rank = shape.size();
  if (rank == 0) return std::nullopt;
  WeightLayout layout{.order = Order::input_major};
  layout.inputs = rank == 1 ? shape[0] : shape[rank - 2];
  layout.outputs = rank == 1 ? 1 : shape[rank - 1];
  if (rank > 2) layout.batches = product(std::span(shape).first(rank - 2));
  if (rank == 2) layout.output_axis = 1;
  return layout;
}

}  // namespace

bool is_linear(const Node& node) { return takes_bias(node) || node.is("MatMul"); }

bool takes_bias(const Node& node) {
  return node.is("Conv") || node.is("ConvTranspose") || node.is("Gemm");
}

std::optional<WeightLayout> weight_layout(const Node& node, const Shape& weight) {
  if (!is_linear(node)) return std::nullopt;
  if (std::ranges::any_of(weight, [](std::int64_t size) { return size <= 0; })) return std::nullopt;
  if (node.is("Gemm")) return gemm_layout(node, weight);
  return node.is("MatMul") ? matmul_layout(weight) : convolution_layout(node, weight);
}

std::optional<std::vector<double>> values_per_channel(const Tensor& constant, int rank, int axis,
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
  for (std::size_t channel = 0; channel < result.size(); ++channel)
    result[channel] = static_cast<double>(values[values.size() == 1 ? 0 : channel]);
  return result;
}

std::optional<std::vector<double>> bias_per_channel(const Node& node, const Tensor& bias,
                                                    std::int64_t outputs) {
  // A Gemm's bias broadcasts to [rows, out]; the others' is [out].
  const bool is_gemm = node.is("Gemm");
  auto values = values_per_channel(bias, is_gemm ? 2 : 1, is_gemm ? 1 : 0, outputs);
  if (values && is_gemm) {
    for (double& value : *values) value *= static_cast<double>(node.float_attribute("beta", 1));
  }
  return values;
}

Tensor scaled(Tensor tensor, float factor) {
  if (factor == 1) return tensor;
  for (float& value : tensor.mutable_values<float>()) value *= factor;
  return tensor;
}

}  // namespace quantsearch
