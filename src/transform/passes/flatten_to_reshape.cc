#include <fmt/core.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "transform/graph_editor.h"
#include "transform/pass.h"

namespace quantsearch {

namespace {

// Product of dimensions [first, last); nullopt when one is not known.
std::optional<std::int64_t> product(const std::vector<Dimension>& dimensions, std::size_t first,
                                    std::size_t last) {
  std::int64_t result = 1;
  for (std::size_t axis = first; axis < last; ++axis) {
    if (!dimensions[axis].size) return std::nullopt;
    result *= *dimensions[axis].size;
  }
  return result;
}

// The Reshape target that means the same as Flatten; nullopt when sizes that it needs are not
// known. 0 copies the size of the same axis of the input, -1 is computed; neither is allowed when
// another size is 0.
std::optional<std::vector<std::int64_t>> target_of(const std::vector<Dimension>& dimensions,
                                                   std::int64_t axis) {
  const auto rank = std::ssize(dimensions);
  if (axis < 0) axis += rank;
  if (axis < 0 || axis > rank) return std::nullopt;
  const std::optional<std::int64_t> rows = product(dimensions, 0, static_cast<std::size_t>(axis));
  const std::optional<std::int64_t> columns =
      product(dimensions, static_cast<std::size_t>(axis), dimensions.size());
  if (rows == 0 || columns == 0) return std::nullopt;
  if (axis == 1 && columns) return std::vector<std::int64_t>{0, *columns};
  if (rows && columns) return std::vector<std::int64_t>{*rows, *columns};
  if (columns) return std::vector<std::int64_t>{-1, *columns};
  if (rows) return std::vector<std::int64_t>{*rows, -1};
  return std::nullopt;
}

}  // namespace

PassResult flatten_to_reshape(Model model) {
  std::vector<std::string> notes;
  GraphEditor editor(model.graph);
  for (int index = 0; index < editor.node_count(); ++index) {
    Node& node = editor.node(index);
    if (!node.is("Flatten")) continue;
    const std::string name = editor.describe(index);
    const ValueInfo* input = editor.value(node.input(0));
    const auto target = input != nullptr && input->dimensions
                            ? target_of(*input->dimensions, node.int_attribute("axis", 1))
                            : std::nullopt;
    if (!target) {
      notes.push_back(fmt::format("{} stays: the sizes of its input are not known", name));
      continue;
    }
    node.op_type = "Reshape";
    node.remove_attribute("axis");
    const std::string shape =
        editor.add_constant(node.outputs[0] + "_shape", Tensor::of<std::int64_t>({2}, *target));
    editor.node(index).inputs.push_back(shape);
    notes.push_back(fmt::format("{} became Reshape to [{}, {}]", name, (*target)[0], (*target)[1]));
  }
  editor.finish();
  return {std::move(model), std::move(notes)};
}

}  // namespace quantsearch
