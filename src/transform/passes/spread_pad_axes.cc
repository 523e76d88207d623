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

constexpr std::size_t kPads = 1;
constexpr std::size_t kAxes = 3;

std::vector<std::int64_t> integers(const Tensor& tensor) {
  if (tensor.type() == DataType::int32) {
    const auto values = tensor.values<std::int32_t>();
    return {values.begin(), values.end()};
  }
  const auto values = tensor.values<std::int64_t>();
  return {values.begin(), values.end()};
}

/// The amounts at the start of every axis, then those at the end of every axis; nullopt when they
/// do not fit the axes.
std::optional<std::vector<std::int64_t>> spread(const std::vector<std::int64_t>& pads,
                                                const std::vector<std::int64_t>& axes,
                                                std::size_t rank) {
  if (pads.size() != 2 * axes.size()) return std::nullopt;
  std::vector<std::int64_t> all(2 * rank, 0);
  for (std::size_t place = 0; place < axes.size(); ++place) {
    const std::int64_t axis =
        axes[place] < 0 ? axes[place] + static_cast<std::int64_t>(rank) : axes[place];
    if (axis < 0 || axis >= static_cast<std::int64_t>(rank)) return std::nullopt;
    all[static_cast<std::size_t>(axis)] = pads[place];
    all[rank + static_cast<std::size_t>(axis)] = pads[axes.size() + place];
  }
  return all;
}

}  // namespace

// ONNX Runtime moves layouts through a Pad by reordering its amounts as if there were one for every
// axis, so a Pad with `axes` becomes a model that does not run. (Seen in 1.29 and 1.32, where
// integer kernels with channels last surround the Pad.)
PassResult spread_pad_axes(Model model) {
  std::vector<std::string> notes;
  GraphEditor editor(model.graph);
  for (int index = 0; index < editor.node_count(); ++index) {
    Node& node = editor.node(index);
    if (!node.is("Pad") || node.input(kAxes).empty()) continue;
    const std::string name = editor.describe(index);
    const Tensor* const pads = editor.constant(node.input(kPads));
    const Tensor* const axes = editor.constant(node.input(kAxes));
    const std::optional<std::size_t> rank = rank_of(editor.value(node.input(0)));
    if (pads == nullptr || axes == nullptr || !rank) {
      notes.push_back(fmt::format(
          "{} keeps its axes: {}", name,
          rank ? "its pads or axes are not constant" : "the rank of its input is not known"));
      continue;
    }
    const auto all = spread(integers(*pads), integers(*axes), *rank);
    if (!all) {
      notes.push_back(
          fmt::format("{} keeps its axes: they do not fit its pads or its input", name));
      continue;
    }
    editor.set_constant(index, kPads, "",
                        Tensor::of<std::int64_t>({static_cast<std::int64_t>(all->size())}, *all));
    std::vector<std::string>& inputs = editor.node(index).inputs;
    inputs.pop_back();
    while (inputs.back().empty()) inputs.pop_back();
    notes.push_back(fmt::format("{} became a Pad of all axes", name));
  }
  editor.finish();
  return {std::move(model), std::move(notes)};
}

}  // namespace quantsearch
