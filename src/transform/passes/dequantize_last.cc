// When the dequantized values of a stored integer weight are transposed or reshaped before a layer
// reads them, the integers are moved instead and dequantized afterwards, so that the layer reads a
// stored tensor through its DequantizeLinear. The integers keep their quantization grid; moving
// them is folded later.

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "transform/graph_editor.h"
#include "transform/pass.h"

namespace quantsearch {

namespace {

bool is_dequantize(const Node& node) {
  return node.op_type == "DequantizeLinear" &&
         (node.domain.empty() || node.domain == "com.microsoft");
}

bool moves_values(const Node& node) {
  return node.is("Transpose") || node.is("Reshape") || node.is("Squeeze") || node.is("Unsqueeze") ||
         node.is("Flatten") || node.is("Identity");
}

std::optional<Shape> fixed_shape(const GraphEditor& editor, std::string_view tensor) {
  if (const Tensor* constant = editor.constant(tensor)) return constant->shape();
  const ValueInfo* value = editor.value(tensor);
  if (value == nullptr || !value->dimensions) return std::nullopt;
  Shape shape;
  for (const Dimension& dimension : *value->dimensions) {
    if (!dimension.size) return std::nullopt;
    shape.push_back(*dimension.size);
  }
  return shape;
}

DataType type_of(const GraphEditor& editor, std::string_view tensor) {
  if (const Tensor* constant = editor.constant(tensor)) return constant->type();
  const ValueInfo* value = editor.value(tensor);
  return value == nullptr ? DataType::undefined : value->type;
}

/// The axis of `to`, a reshape of `from`, that is `axis` of `from`: it has the same size and the
/// same number of elements before it.
std::optional<std::int64_t> axis_after_reshape(const Shape& from, std::int64_t axis,
                                               const Shape& to) {
  const std::int64_t size = from[static_cast<std::size_t>(axis)];
  const std::int64_t before = element_count(Shape(from.begin(), from.begin() + axis));
  std::int64_t passed = 1;
  for (std::size_t other = 0; other < to.size(); ++other) {
    if (passed == before && to[other] == size) return static_cast<std::int64_t>(other);
    passed *= to[other];
  }
  return std::nullopt;
}

/// The channel axis after `mover`; nullopt when it is lost.
std::optional<std::int64_t> moved_axis(const GraphEditor& editor, const Node& mover,
                                       const Shape& integers, std::int64_t axis) {
  if (mover.is("Transpose")) {
    std::vector<std::int64_t> order = mover.ints_attribute("perm", {});
    if (order.empty()) return std::ssize(integers) - 1 - axis;
    const auto at = std::ranges::find(order, axis);
    return at == order.end() ? std::nullopt : std::optional(at - order.begin());
  }
  const auto shape = fixed_shape(editor, mover.outputs[0]);
  return shape ? axis_after_reshape(integers, axis, *shape) : std::nullopt;
}

class Mover {
 public:
  explicit Mover(GraphEditor& editor) : editor_(editor) {}

  /// Returns a note on what was done; empty when nothing was.
  std::string apply(int index) {
    const Node mover = editor_.node(index);
    if (!moves_values(mover)) return "";
    const auto producer = editor_.producer(mover.inputs[0]);
    if (!producer) return "";
    const Node dequantize = editor_.node(*producer);
    if (!is_dequantize(dequantize) || !editor_.is_constant_expression(mover.inputs[0])) return "";
    const auto axis = axis_after(mover, dequantize);
    if (!axis) return "";
    Node moved = mover;
    moved.inputs[0] = dequantize.inputs[0];
    moved.outputs[0] = editor_.unique_name(dequantize.inputs[0] + "_moved");
    Node last = dequantize;
    last.name = editor_.unique_name(mover.outputs[0] + "_DequantizeLinear");
    last.inputs[0] = moved.outputs[0];
    last.outputs[0] = mover.outputs[0];
    if (*axis >= 0) last.set_attribute("axis", *axis);
    std::string note = fmt::format("{} moves the integers of '{}' instead of its values",
                                   editor_.describe(index), dequantize.inputs[0]);
    editor_.replace(index, {std::move(moved), std::move(last)});
    return note;
  }

 private:
  /// The channel axis after `mover`; -1 with one scale for the whole tensor; nullopt when the
  /// values must be moved.
  [[nodiscard]] std::optional<std::int64_t> axis_after(const Node& mover,
                                                       const Node& dequantize) const {
    if (dequantize.int_attribute("block_size", 0) != 0) return std::nullopt;
    const DataType type = type_of(editor_, dequantize.inputs[0]);
    if (type != DataType::int8 && type != DataType::uint8 && type != DataType::int16 &&
        type != DataType::uint16) {
      return std::nullopt;
    }
    const auto scale = fixed_shape(editor_, dequantize.input(1));
    if (!scale) return std::nullopt;
    if (element_count(*scale) == 1) return -1;
    const auto integers = fixed_shape(editor_, dequantize.inputs[0]);
    if (!integers) return std::nullopt;
    std::int64_t axis = dequantize.int_attribute("axis", 1);
    if (axis < 0) axis += std::ssize(*integers);
    if (axis < 0 || axis >= std::ssize(*integers)) return std::nullopt;
    return moved_axis(editor_, mover, *integers, axis);
  }

  GraphEditor& editor_;
};

}  // namespace

PassResult dequantize_last(Model model) {
  std::vector<std::string> notes;
  // A chain of movers takes one round for each.
  for (bool has_moved = true; has_moved;) {
    has_moved = false;
    GraphEditor editor(model.graph);
    Mover mover(editor);
    for (int index = 0; index < editor.node_count(); ++index) {
      std::string note = mover.apply(index);
      if (note.empty()) continue;
      has_moved = true;
      notes.push_back(std::move(note));
    }
    editor.finish();
    // The shapes of what was moved are needed in the next round.
    if (has_moved) model = infer_shapes(std::move(model));
  }
  return {std::move(model), std::move(notes)};
}

}  // namespace quantsearch
