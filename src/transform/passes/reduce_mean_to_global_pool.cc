#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "transform/graph_editor.h"
#include "transform/pass.h"

namespace quantsearch {

namespace {

constexpr std::int64_t kRank = 4;
// Opset in which ReduceMean's axes became an input.
constexpr std::int64_t kAxesAsInputOfReduce = 18;
constexpr std::int64_t kAxesAsInputOfSqueeze = 13;  // the same for Squeeze

// Sorted non-negative axes; nullopt when they are not constant.
std::optional<std::vector<std::int64_t>> axes_of(const GraphEditor& editor, const Node& node,
                                                 std::int64_t opset) {
  std::vector<std::int64_t> axes;
  if (opset < kAxesAsInputOfReduce) {
    axes = node.ints_attribute("axes", {});
  } else {
    const Tensor* constant = editor.constant(node.input(1));
    if (constant == nullptr) return std::nullopt;
    axes = to_int64s(*constant);
  }
  for (std::int64_t& axis : axes) axis = axis < 0 ? axis + kRank : axis;
  std::ranges::sort(axes);
  return axes;
}

// With keepdims 0, the pool produces [n, c, 1, 1] and this Squeeze removes the last two axes.
Node squeeze_after(GraphEditor& editor, const Node& mean, const std::string& pooled,
                   std::int64_t opset) {
  Node squeeze{.op_type = "Squeeze",
               .domain = "",
               .name = editor.unique_name(mean.name.empty() ? mean.outputs[0] + "_squeeze"
                                                            : mean.name + "_squeeze"),
               .inputs = {pooled},
               .outputs = {mean.outputs[0]},
               .attributes = {},
               .extra = ""};
  const std::vector<std::int64_t> spatial = {2, 3};
  if (opset < kAxesAsInputOfSqueeze) {
    squeeze.set_attribute("axes", spatial);
  } else {
    squeeze.inputs.push_back(
        editor.add_constant(mean.outputs[0] + "_axes", Tensor::of<std::int64_t>({2}, spatial)));
  }
  return squeeze;
}

}  // namespace

PassResult reduce_mean_to_global_pool(Model model) {
  std::vector<std::string> notes;
  const std::int64_t opset = model.opset();
  GraphEditor editor(model.graph);
  for (int index = 0; index < editor.node_count(); ++index) {
    if (!editor.node(index).is("ReduceMean")) continue;
    const ValueInfo* input = editor.value(editor.node(index).input(0));
    const std::string name = editor.describe(index);
    if (rank_of(input) != static_cast<std::size_t>(kRank) || input->type != DataType::float32) {
      notes.push_back(
          fmt::format("{} stays: its input is not known to be float32 of four axes", name));
      continue;
    }
    if (axes_of(editor, editor.node(index), opset) != std::vector<std::int64_t>{2, 3}) {
      notes.push_back(fmt::format("{} stays: its axes are not the two spatial ones", name));
      continue;
    }
    Node& mean = editor.node(index);
    const bool keeps_axes = mean.int_attribute("keepdims", 1) != 0;
    if (!keeps_axes) {
      const std::string pooled = editor.unique_name(mean.outputs[0] + "_pooled");
      editor.insert_after(index, squeeze_after(editor, mean, pooled, opset));
      mean.outputs[0] = pooled;
    }
    mean.op_type = "GlobalAveragePool";
    mean.inputs.resize(1);
    mean.attributes.clear();
    notes.push_back(
        fmt::format("{} became GlobalAveragePool{}", name, keeps_axes ? "" : " and Squeeze"));
  }
  editor.finish();
  return {std::move(model), std::move(notes)};
}

}  // namespace quantsearch
