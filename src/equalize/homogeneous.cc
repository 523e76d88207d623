#include "equalize/homogeneous.h"

#include <algorithm>
#include <array>
#include <vector>

#include "equalize/linear_layer.h"

namespace quantsearch::equalizing {

namespace {

constexpr std::array kElementwise = {"Relu", "LeakyRelu", "PRelu", "Identity", "Abs", "Neg"};
// These operators reduce or slide over the axes after the first two.
constexpr std::array kPooling = {"MaxPool",       "AveragePool", "GlobalAveragePool",
                                 "GlobalMaxPool", "LpPool",      "GlobalLpPool"};
constexpr std::array kReductions = {"ReduceMean", "ReduceMax", "ReduceMin",
                                    "ReduceSum",  "ReduceL1",  "ReduceL2"};
constexpr std::array kShapeOnly = {"Reshape", "Flatten", "Squeeze", "Unsqueeze"};

template <std::size_t kCount>
bool is_any(const Node& node, const std::array<const char*, kCount>& types) {
  return node.domain.empty() && std::ranges::find(types, node.op_type) != types.end();
}

bool has_one_output(const Node& node) {
  return std::ranges::count_if(node.outputs, [](const auto& name) { return !name.empty(); }) == 1;
}

/// A list of integers that is an attribute in some opsets and an input in others.
std::optional<std::vector<std::int64_t>> integers_of(const GraphIndex& index, const Node& node,
                                                     const char* attribute, std::size_t input) {
  if (node.find_attribute(attribute) != nullptr) return node.ints_attribute(attribute, {});
  const auto constant = constant_of(index, node.input(input));
  if (constant == nullptr) return std::nullopt;
  return to_int64s(*constant);
}

bool is_clip_from_zero(const GraphIndex& index, const Node& node) {
  if (!node.is("Clip") || node.find_attribute("max") != nullptr || !node.input(2).empty())
    return false;
  if (node.find_attribute("min") != nullptr) return node.float_attribute("min", 1) == 0.0F;
  const auto low = constant_of(index, node.input(1));
  return low != nullptr && low->type() == DataType::float32 && low->size() == 1 &&
         low->values<float>()[0] == 0.0F;
}

/// Padding with copies of elements or with zeros keeps the scale of a channel. A padded channel
/// axis would have other channels.
bool pad_passes(const GraphIndex& index, const Node& node, ChannelAxis at) {
  const bool is_constant = node.string_attribute("mode", "constant") == "constant";
  if (is_constant && node.float_attribute("value", 0) != 0.0F) return false;
  if (is_constant && !node.input(2).empty()) {
    const auto value = constant_of(index, node.input(2));
    if (value == nullptr || value->type() != DataType::float32) return false;
    if (std::ranges::any_of(value->values<float>(), [](float v) { return v != 0.0F; }))
      return false;
  }
  const auto pads = integers_of(index, node, "pads", 1);
  if (!pads || !node.input(3).empty() || std::ssize(*pads) != std::int64_t{2} * at.rank)
    return false;
  const auto axis = static_cast<std::size_t>(at.axis);
  return (*pads)[axis] == 0 && (*pads)[axis + static_cast<std::size_t>(at.rank)] == 0;
}

std::optional<ChannelAxis> axis_after_reduction(const GraphIndex& index, const Node& node,
                                                ChannelAxis at) {
  const auto axes = integers_of(index, node, "axes", 1);
  if (!axes || axes->empty()) return std::nullopt;  // absent or empty mostly means all axes
  const bool keeps = node.int_attribute("keepdims", 1) != 0;
  ChannelAxis result = at;
  for (const std::int64_t axis : *axes) {
    const std::int64_t position = axis < 0 ? axis + at.rank : axis;
    if (position == at.axis) return std::nullopt;
    if (keeps) continue;
    --result.rank;
    if (position < at.axis) --result.axis;
  }
  return result;
}

std::optional<ChannelAxis> axis_after_transpose(const Node& node, ChannelAxis at) {
  const auto order = node.ints_attribute("perm", {});
  if (std::ssize(order) != at.rank) return std::nullopt;
  const auto found = std::ranges::find(order, at.axis);
  if (found == order.end()) return std::nullopt;
  return ChannelAxis{.axis = static_cast<int>(found - order.begin()), .rank = at.rank};
}

/// True when the axes after axis 1 all have size 1.
bool ends_with_channels(const ValueInfo* value, std::int64_t channels) {
  if (value == nullptr || !value->dimensions || value->dimensions->size() < 2) return false;
  const auto& dimensions = *value->dimensions;
  if (dimensions[1].size != channels) return false;
  return std::all_of(dimensions.begin() + 2, dimensions.end(),
                     [](const Dimension& dimension) { return dimension.size == 1; });
}

/// The axis of the channels after a Reshape between [batch, channels, 1, 1] and [batch, channels],
/// which often follows a global pooling.
std::optional<ChannelAxis> axis_after_reshape(const GraphIndex& index, const Node& node,
                                              ChannelAxis at, std::int64_t channels) {
  const ValueInfo* after = index.value(node.outputs[0]);
  if (at.axis != 1 || !ends_with_channels(index.value(node.inputs[0]), channels) ||
      !ends_with_channels(after, channels)) {
    return std::nullopt;
  }
  return ChannelAxis{.axis = 1, .rank = static_cast<int>(after->dimensions->size())};
}

/// True for a multiplication or division by a constant that adds no channels or axes.
bool constant_factor_passes(const GraphIndex& index, const Node& node, std::string_view tensor,
                            ChannelAxis at, std::int64_t channels) {
  const bool is_first = node.input(0) == tensor;
  if (node.is("Div") && !is_first) return false;
  const auto constant = constant_of(index, node.input(is_first ? 1 : 0));
  if (constant == nullptr || std::ssize(constant->shape()) > at.rank) return false;
  const int own_axis = at.axis - (at.rank - static_cast<int>(constant->shape().size()));
  if (own_axis < 0) return true;
  const std::int64_t size = constant->shape()[static_cast<std::size_t>(own_axis)];
  return size == 1 || size == channels;
}

}  // namespace

std::optional<ChannelAxis> passes_scale(const GraphIndex& index, const Node& node,
                                        std::string_view tensor, ChannelAxis at,
                                        std::int64_t channels) {
  if (!node.domain.empty() || !has_one_output(node)) return std::nullopt;
  const auto if_true = [&](bool passes) { return passes ? std::optional(at) : std::nullopt; };
  if (node.is("Mul") || node.is("Div")) {
    return if_true(constant_factor_passes(index, node, tensor, at, channels));
  }
  if (node.input(0) != tensor) return std::nullopt;  // the tensor is a slope, a shape, ...
  if (is_any(node, kElementwise) || is_clip_from_zero(index, node)) return at;
  if (is_any(node, kPooling)) return if_true(at.axis == 1);
  if (node.is("Pad")) return if_true(pad_passes(index, node, at));
  if (is_any(node, kReductions)) return axis_after_reduction(index, node, at);
  if (node.is("Transpose")) return axis_after_transpose(node, at);
  if (is_any(node, kShapeOnly)) return axis_after_reshape(index, node, at, channels);
  return std::nullopt;
}

}  // namespace quantsearch::equalizing
