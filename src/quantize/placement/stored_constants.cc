#include "quantize/placement/stored_constants.h"

#include <algorithm>
#include <array>

namespace quantsearch {

namespace {

bool is_dequantize(const Node& node) {
  return node.op_type == "DequantizeLinear" &&
         (node.domain.empty() || node.domain == "com.microsoft");
}

bool can_be_kept(DataType type) {
  constexpr std::array kTypes = {DataType::int8, DataType::uint8, DataType::int16, DataType::uint16,
                                 DataType::int32};
  return std::ranges::find(kTypes, type) != kTypes.end();
}

/// The axis of the scales, -1 for one scale; nullopt for block-wise scales and for a wrong axis.
std::optional<int> axis_of(const Node& node, const Tensor& integers, const Tensor& scale) {
  if (node.int_attribute("block_size", 0) != 0) return std::nullopt;
  if (scale.size() == 1) return -1;
  const std::int64_t rank = std::ssize(integers.shape());
  std::int64_t axis = node.int_attribute("axis", 1);
  if (axis < 0) axis += rank;
  if (axis < 0 || axis >= rank || scale.shape().size() != 1 ||
      integers.shape()[static_cast<std::size_t>(axis)] != scale.size()) {
    return std::nullopt;
  }
  return static_cast<int>(axis);
}

/// The constant that `node` dequantizes. Null when it dequantizes none or one in a form that is not
/// supported here.
std::shared_ptr<const QuantizedTensor> stored_tensor(const Node& node, const GraphIndex& index) {
  if (!is_dequantize(node)) return nullptr;
  const Tensor* integers = index.initializer(node.input(0));
  const Tensor* scale = index.initializer(node.input(1));
  const Tensor* zero_point = index.initializer(node.input(2));
  if (integers == nullptr || scale == nullptr || !can_be_kept(integers->type()) ||
      scale->type() != DataType::float32) {
    return nullptr;
  }
  if (!node.input(2).empty() && (zero_point == nullptr || zero_point->size() != scale->size()))
    return nullptr;
  const auto axis = axis_of(node, *integers, *scale);
  if (!axis) return nullptr;
  const auto scales = scale->values<float>();
  QuantizedTensor tensor{
      .integers = *integers,
      .params = {.type = integers->type(),
                 .scales = {scales.begin(), scales.end()},
                 .zero_points = zero_point != nullptr ? to_int64s(*zero_point)
                                                      : std::vector<std::int64_t>(scales.size(), 0),
                 .axis = *axis}};
  return std::make_shared<const QuantizedTensor>(std::move(tensor));
}

}  // namespace

StoredConstants::StoredConstants(const Model& model) : model_(model) {
  const bool has_any = std::ranges::any_of(model.graph.nodes, is_dequantize);
  if (!has_any) return;
  const GraphIndex index(model.graph);
  for (const Node& node : model.graph.nodes) {
    if (auto tensor = stored_tensor(node, index)) tensors_.emplace(node.outputs[0], tensor);
  }
  if (tensors_.empty()) return;
  extended_ = model;
  for (const auto& [name, tensor] : tensors_) {
    extended_->graph.initializers.push_back(
        {.name = name, .tensor = std::make_shared<const Tensor>(dequantize(*tensor))});
  }
}

}  // namespace quantsearch
