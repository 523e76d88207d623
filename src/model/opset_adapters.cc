#include "model/opset_adapters.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <utility>

namespace quantsearch::model_io {

namespace {

/// The stem of the names of nodes and tensors that are added for a node.
std::string stem_of(const Node& node) { return node.name.empty() ? node.outputs.at(0) : node.name; }

Tensor int64s(const std::vector<std::int64_t>& values) {
  return Tensor::of<std::int64_t>({static_cast<std::int64_t>(values.size())}, values);
}

/// Makes `tensor` the input `index`; missing inputs before it become "".
void set_constant_input(Node& node, std::size_t index, const char* what, Tensor tensor,
                        AdapterContext& context) {
  if (node.inputs.size() <= index) node.inputs.resize(index + 1);
  node.inputs[index] =
      context.add_initializer(fmt::format("{}_{}", stem_of(node), what), std::move(tensor));
}

/// Moves a list of integers from an attribute to an input, when the attribute exists.
void move_ints_to_input(Node& node, const char* attribute, std::size_t index,
                        AdapterContext& context) {
  if (node.find_attribute(attribute) == nullptr) return;
  set_constant_input(node, index, attribute, int64s(node.ints_attribute(attribute, {})), context);
  node.remove_attribute(attribute);
}

/// A scalar of the element type of the node's first input. Throws Unsupported when that is unknown.
Tensor scalar_like_input(const Node& node, float value, const AdapterContext& context) {
  const ValueInfo* const input = context.value(node.inputs.at(0));
  if (input == nullptr || !is_floating(input->type)) {
    throw Unsupported(fmt::format("the type of its input '{}' is not known", node.inputs.at(0)));
  }
  return convert(Tensor::scalar(value), input->type);
}

std::vector<Node> batch_normalization_9(Node node, AdapterContext& /*context*/) {
  if (node.int_attribute("spatial", 1) != 1)
    throw Unsupported("spatial = 0 has no equal in later opsets");
  node.remove_attribute("spatial");
  return {std::move(node)};
}

std::vector<Node> scan_9(const Node& /*node*/, AdapterContext& /*context*/) {
  throw Unsupported("its batch axis has no equal in later opsets");
}

std::vector<Node> upsample_9(Node node, AdapterContext& context) {
  const Attribute* const scales = node.find_attribute("scales");
  const auto* const given =
      scales == nullptr ? nullptr : std::get_if<std::vector<float>>(&scales->value);
  if (given == nullptr) throw InvalidInput("it has no attribute 'scales' of type floats");
  const std::vector<float> values = *given;
  set_constant_input(node, 1, "scales",
                     Tensor::of<float>({static_cast<std::int64_t>(values.size())}, values),
                     context);
  node.remove_attribute("scales");
  return {std::move(node)};
}

std::vector<Node> upsample_10(Node node, AdapterContext& context) {
  node.op_type = "Resize";
  // Upsample never shrinks, so its rounding does not depend on the scales. Resize 10 has no
  // attribute for it yet.
  const bool is_nearest = node.string_attribute("mode", "nearest") == "nearest";
  if (is_nearest && context.target_opset() > 10)
    node.set_attribute("nearest_mode", std::string("floor"));
  return {std::move(node)};
}

std::vector<Node> slice_10(Node node, AdapterContext& context) {
  move_ints_to_input(node, "starts", 1, context);
  move_ints_to_input(node, "ends", 2, context);
  move_ints_to_input(node, "axes", 3, context);
  return {std::move(node)};
}

std::vector<Node> top_k_10(Node node, AdapterContext& context) {
  set_constant_input(node, 1, "k", int64s({node.int_attribute("k", 0)}), context);
  node.remove_attribute("k");
  return {std::move(node)};
}

std::vector<Node> clip_11(Node node, AdapterContext& context) {
  const std::pair<const char*, std::size_t> bounds[] = {{"min", 1}, {"max", 2}};
  for (const auto& [name, index] : bounds) {
    if (node.find_attribute(name) == nullptr) continue;
    set_constant_input(node, index, name,
                       scalar_like_input(node, node.float_attribute(name, 0), context), context);
    node.remove_attribute(name);
  }
  return {std::move(node)};
}

std::vector<Node> pad_11(Node node, AdapterContext& context) {
  const float value = node.float_attribute("value", 0);
  move_ints_to_input(node, "pads", 1, context);
  node.remove_attribute("value");
  if (value != 0 && node.string_attribute("mode", "constant") == "constant") {
    set_constant_input(node, 2, "value", scalar_like_input(node, value, context), context);
  }
  return {std::move(node)};
}

/// How Resize 10 rounds a source coordinate: down when it enlarges an axis, up when it shrinks it
/// (this is what runtimes do; the specification does not say). Shrinking by a whole number needs no
/// rounding.
std::string nearest_mode_10(const Node& node, const AdapterContext& context) {
  const Tensor* const scales = context.constant(node.inputs.at(1));
  if (scales == nullptr || scales->type() != DataType::float32)
    throw Unsupported("its scales are not constant");
  bool rounds_down = false;
  bool rounds_up = false;
  for (const float scale : scales->values<float>()) {
    if (scale > 1) rounds_down = true;
    const float step = 1 / scale;
    if (scale < 1 && step != std::round(step)) rounds_up = true;
  }
  if (rounds_down && rounds_up)
    throw Unsupported("it enlarges one axis and shrinks another with nearest");
  return rounds_up ? "ceil" : "floor";
}

std::vector<Node> resize_11(Node node, AdapterContext& context) {
  const bool is_nearest = node.string_attribute("mode", "nearest") == "nearest";
  if (is_nearest && node.find_attribute("nearest_mode") == nullptr) {
    node.set_attribute("nearest_mode", nearest_mode_10(node, context));
  }
  node.set_attribute("coordinate_transformation_mode", std::string("asymmetric"));
  const std::string scales = node.inputs.at(1);
  set_constant_input(node, 1, "roi", Tensor(DataType::float32, {0}), context);
  node.inputs.push_back(scales);
  return {std::move(node)};
}

std::vector<Node> scatter_11(Node node, AdapterContext& /*context*/) {
  node.op_type = "ScatterElements";
  return {std::move(node)};
}

std::vector<Node> dropout_12(Node node, AdapterContext& context) {
  if (node.find_attribute("ratio") != nullptr) {
    set_constant_input(node, 1, "ratio", Tensor::scalar(node.float_attribute("ratio", 0.5F)),
                       context);
    node.remove_attribute("ratio");
  }
  return {std::move(node)};
}

std::vector<Node> axes_to_input(Node node, AdapterContext& context) {
  move_ints_to_input(node, "axes", 1, context);
  return {std::move(node)};
}

std::vector<Node> split_13(Node node, AdapterContext& context) {
  move_ints_to_input(node, "split", 1, context);
  return {std::move(node)};
}

std::vector<Node> resize_13(Node node, AdapterContext& /*context*/) {
  const std::string mode = node.string_attribute("coordinate_transformation_mode", "half_pixel");
  if (mode == "tf_half_pixel_for_nn")
    throw Unsupported("coordinate mode 'tf_half_pixel_for_nn' was removed");
  return {std::move(node)};
}

/// Until opset 12 Softmax, LogSoftmax and Hardmax flatten the input to a matrix at `axis`; from 13
/// on they work along that one axis. True when both are the same: all sizes after the axis are 1.
bool is_along_one_axis(const Node& node, std::int64_t axis, const AdapterContext& context) {
  // Input and output have the same shape, so either of the two is enough.
  for (const std::string& tensor : {node.inputs.at(0), node.outputs.at(0)}) {
    const ValueInfo* const value = context.value(tensor);
    if (value == nullptr || !value->dimensions) continue;
    const auto rank = static_cast<std::int64_t>(value->dimensions->size());
    const std::int64_t first = axis < 0 ? axis + rank : axis;
    return std::all_of(value->dimensions->begin() + std::clamp<std::int64_t>(first + 1, 0, rank),
                       value->dimensions->end(),
                       [](const Dimension& dimension) { return dimension.size == 1; });
  }
  return false;
}

Node simple_node(const char* op_type, std::vector<std::string> inputs, std::string output,
                 const std::string& name) {
  Node node;
  node.op_type = op_type;
  node.name = name;
  node.inputs = std::move(inputs);
  node.outputs = {std::move(output)};
  return node;
}

std::vector<Node> softmax_13(Node node, AdapterContext& context) {
  const std::int64_t axis = node.int_attribute("axis", 1);
  if (is_along_one_axis(node, axis, context)) {
    node.set_attribute("axis", axis);
    return {std::move(node)};
  }
  const std::string stem = stem_of(node);
  const std::string input = node.inputs.at(0);
  const std::string output = node.outputs.at(0);
  const std::string shape = context.unique(stem + "_shape");
  const std::string matrix = context.unique(stem + "_matrix");
  const std::string result = context.unique(stem + "_rows");
  Node flatten = simple_node("Flatten", {input}, matrix, context.unique(stem + "_flatten"));
  flatten.set_attribute("axis", axis);
  node.inputs = {matrix};
  node.outputs = {result};
  node.set_attribute("axis", std::int64_t{-1});
  return {simple_node("Shape", {input}, shape, context.unique(stem + "_shape_of")),
          std::move(flatten), std::move(node),
          simple_node("Reshape", {result, shape}, output, context.unique(stem + "_reshape"))};
}

std::vector<Node> batch_normalization_14(Node node, AdapterContext& /*context*/) {
  while (node.outputs.size() > 1 && node.outputs.back().empty()) node.outputs.pop_back();
  if (node.outputs.size() > 1)
    throw Unsupported("its training outputs have no equal in later opsets");
  return {std::move(node)};
}

std::vector<Node> roi_align_16(Node node, AdapterContext& /*context*/) {
  node.set_attribute("coordinate_transformation_mode", std::string("output_half_pixel"));
  return {std::move(node)};
}

std::vector<Node> split_18(Node node, AdapterContext& /*context*/) {
  if (node.input(1).empty())
    node.set_attribute("num_outputs", static_cast<std::int64_t>(node.outputs.size()));
  return {std::move(node)};
}

std::vector<Node> dft_20(Node node, AdapterContext& context) {
  set_constant_input(node, 2, "axis", Tensor::scalar(node.int_attribute("axis", 1)), context);
  node.remove_attribute("axis");
  return {std::move(node)};
}

std::vector<Node> grid_sample_20(Node node, AdapterContext& /*context*/) {
  const std::string mode = node.string_attribute("mode", "bilinear");
  if (mode == "bilinear") node.set_attribute("mode", std::string("linear"));
  if (mode == "bicubic") node.set_attribute("mode", std::string("cubic"));
  return {std::move(node)};
}

/// Scale and bias get one value for each channel instead of one for each group: each value is
/// repeated channels / groups times.
std::vector<Node> group_normalization_21(Node node, AdapterContext& context) {
  const ValueInfo* const input = context.value(node.inputs.at(0));
  const std::int64_t groups = node.int_attribute("num_groups", 0);
  if (input == nullptr || !input->dimensions || input->dimensions->size() < 2 ||
      !(*input->dimensions)[1].size || groups < 1) {
    throw Unsupported("the number of channels of its input is not known");
  }
  const std::string stem = stem_of(node);
  const std::int64_t channels = *(*input->dimensions)[1].size;
  const std::string column = context.add_initializer(stem + "_column", int64s({groups, 1}));
  const std::string table =
      context.add_initializer(stem + "_table", int64s({groups, channels / groups}));
  const std::string flat = context.add_initializer(stem + "_flat", int64s({channels}));
  std::vector<Node> nodes;
  for (const std::size_t index : {std::size_t{1}, std::size_t{2}}) {
    std::string tensor = node.inputs.at(index);
    const std::pair<const char*, std::string> steps[] = {
        {"Reshape", column}, {"Expand", table}, {"Reshape", flat}};
    for (const auto& [op_type, shape] : steps) {
      const std::string output = context.unique(node.inputs[index] + "_per_channel");
      nodes.push_back(simple_node(op_type, {tensor, shape}, output, output));
      tensor = output;
    }
    node.inputs[index] = tensor;
  }
  nodes.push_back(std::move(node));
  return nodes;
}

using AdapterTable = std::map<std::pair<std::string_view, std::int64_t>, OpsetAdapter>;

const AdapterTable& adapters() {
  static const AdapterTable kTable = {
      {{"BatchNormalization", 9}, batch_normalization_9},
      {{"BatchNormalization", 14}, batch_normalization_14},
      {{"Clip", 11}, clip_11},
      {{"DFT", 20}, dft_20},
      {{"Dropout", 12}, dropout_12},
      {{"GridSample", 20}, grid_sample_20},
      {{"GroupNormalization", 21}, group_normalization_21},
      {{"Hardmax", 13}, softmax_13},
      {{"LogSoftmax", 13}, softmax_13},
      {{"Pad", 11}, pad_11},
      {{"ReduceL1", 18}, axes_to_input},
      {{"ReduceL2", 18}, axes_to_input},
      {{"ReduceLogSum", 18}, axes_to_input},
      {{"ReduceLogSumExp", 18}, axes_to_input},
      {{"ReduceMax", 18}, axes_to_input},
      {{"ReduceMean", 18}, axes_to_input},
      {{"ReduceMin", 18}, axes_to_input},
      {{"ReduceProd", 18}, axes_to_input},
      {{"ReduceSum", 13}, axes_to_input},
      {{"ReduceSumSquare", 18}, axes_to_input},
      {{"Resize", 11}, resize_11},
      {{"Resize", 13}, resize_13},
      {{"RoiAlign", 16}, roi_align_16},
      {{"Scan", 9}, scan_9},
      {{"Scatter", 11}, scatter_11},
      {{"Slice", 10}, slice_10},
      {{"Softmax", 13}, softmax_13},
      {{"Split", 13}, split_13},
      {{"Split", 18}, split_18},
      {{"Squeeze", 13}, axes_to_input},
      {{"TopK", 10}, top_k_10},
      {{"Unsqueeze", 13}, axes_to_input},
      {{"Upsample", 9}, upsample_9},
      {{"Upsample", 10}, upsample_10},
  };
  return kTable;
}

}  // namespace

const OpsetAdapter* find_opset_adapter(std::string_view op_type, std::int64_t version) {
  const auto found = adapters().find({op_type, version});
  return found == adapters().end() ? nullptr : &found->second;
}

}  // namespace quantsearch::model_io
