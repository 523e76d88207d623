#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "transform/pass.h"

namespace quantsearch {

namespace {

std::int64_t length(const auto& list) { return static_cast<std::int64_t>(list.size()); }

// The tensor of a Constant, whichever attribute holds it; nullopt when it has none.
std::optional<Tensor> constant_of(const Node& node) {
  for (const Attribute& attribute : node.attributes) {
    const Attribute::Payload& value = attribute.value;
    if (const auto* tensor = std::get_if<Tensor>(&value)) return *tensor;
    if (const auto* number = std::get_if<float>(&value)) return Tensor::scalar(*number);
    if (const auto* number = std::get_if<std::int64_t>(&value)) return Tensor::scalar(*number);
    if (const auto* text = std::get_if<std::string>(&value)) return Tensor::of_strings({}, {*text});
    if (const auto* list = std::get_if<std::vector<float>>(&value))
      return Tensor::of<float>({length(*list)}, *list);
    if (const auto* list = std::get_if<std::vector<std::int64_t>>(&value)) {
      return Tensor::of<std::int64_t>({length(*list)}, *list);
    }
    if (const auto* list = std::get_if<std::vector<std::string>>(&value)) {
      return Tensor::of_strings({length(*list)}, *list);
    }
  }
  return std::nullopt;
}

}  // namespace

PassResult constants_to_initializers(Model model) {
  const GraphIndex index(model.graph);
  std::vector<std::string> notes;
  std::vector<Node> kept;
  std::int64_t moved = 0;
  for (Node& node : model.graph.nodes) {
    if (!node.is("Constant") || node.outputs.size() != 1) {
      kept.push_back(std::move(node));
      continue;
    }
    std::optional<Tensor> tensor = constant_of(node);
    if (!tensor || index.is_graph_output(node.outputs[0])) {
      notes.push_back(fmt::format("Constant '{}' stays: it is {}", node.outputs[0],
                                  tensor ? "a graph output" : "without a value"));
      kept.push_back(std::move(node));
      continue;
    }
    model.graph.initializers.push_back(
        {.name = node.outputs[0], .tensor = std::make_shared<const Tensor>(std::move(*tensor))});
    ++moved;
  }
  model.graph.nodes = std::move(kept);
  if (moved > 0) {
    model.ir_version = std::max(model.ir_version, kIrVersionOfFreeInitializers);
    notes.push_back(fmt::format("{} Constant nodes became initializers", moved));
  }
  return {std::move(model), std::move(notes)};
}

}  // namespace quantsearch
