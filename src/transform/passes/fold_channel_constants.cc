#include <fmt/core.h>

#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "transform/channel_affine.h"
#include "transform/graph_editor.h"
#include "transform/pass.h"

namespace quantsearch {

namespace {

// The affine map of a Mul or Add by `constants`.
ChannelAffine affine_of(const Node& node, std::vector<double> constants) {
  const std::size_t channels = constants.size();
  if (node.is("Mul"))
    return {.scale = std::move(constants), .shift = std::vector<double>(channels, 0.0)};
  return {.scale = std::vector<double>(channels, 1.0), .shift = std::move(constants)};
}

// Returns why the node stays, "" when it was folded, nullopt when it does not combine the output of
// a layer with a constant at all.
std::optional<std::string> fold(GraphEditor& editor, int index) {
  const Node& node = editor.node(index);
  for (const std::size_t side : {0U, 1U}) {
    const std::string input(node.input(side));
    const Tensor* constant = editor.constant(node.input(1 - side));
    const std::optional<int> before = editor.producer(input);
    if (constant == nullptr || !before || !takes_bias(editor.node(*before))) continue;
    if (!editor.has_one_reader(input)) return fmt::format("'{}' is also used elsewhere", input);
    const LinearLayerOrObjection found = linear_layer(editor, *before);
    if (!found.layer) return fmt::format("{}: {}", editor.describe(*before), found.objection);
    auto constants =
        values_per_channel(*constant, found.layer->output_rank, 1, found.layer->layout.outputs);
    if (!constants) return "its constant is not one float32 per channel";
    for (const double value : *constants) {
      if (!std::isfinite(value)) return "its constant is not finite";
    }
    const ChannelAffine affine = affine_of(node, std::move(*constants));
    fold_into(editor, *found.layer, affine);
    editor.merge(index, *before);
    return "";
  }
  return std::nullopt;
}

}  // namespace

PassResult fold_channel_constants(Model model) {
  std::vector<std::string> notes;
  GraphEditor editor(model.graph);
  for (int index = 0; index < editor.node_count(); ++index) {
    if (!editor.node(index).is("Mul") && !editor.node(index).is("Add")) continue;
    const std::string name = editor.describe(index);
    const std::optional<std::string> objection = fold(editor, index);
    if (!objection) continue;
    notes.push_back(objection->empty() ? fmt::format("{} folded", name)
                                       : fmt::format("{} stays: {}", name, *objection));
  }
  editor.finish();
  return {std::move(model), std::move(notes)};
}

}  // namespace quantsearch
