#include <fmt/core.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "quantsearch/transform.h"
#include "transform/channel_affine.h"
#include "transform/pass.h"

namespace quantsearch {

PassResult split_biases(Model model) {
  std::vector<std::string> notes;
  const GraphIndex index(model.graph);
  NameAllocator names(model.graph);
  std::map<std::string, int> readers_with_own;  // bias -> layers that were visited
  std::vector<Initializer> copies;  // appended at the end, because the index refers to the graph
  for (Node& node : model.graph.nodes) {
    if (!takes_bias(node)) continue;
    const std::string bias(node.input(2));
    const auto tensor = index.shared_initializer(bias);
    if (tensor == nullptr || index.consumers(bias).size() < 2) continue;
    // A reader of another kind keeps the original; without one, the first layer keeps it.
    bool all_are_layers = !index.is_graph_output(bias) && !index.is_graph_input(bias);
    for (const int reader : index.consumers(bias)) {
      const Node& other = model.graph.nodes[static_cast<std::size_t>(reader)];
      all_are_layers = all_are_layers && takes_bias(other) && other.input(2) == bias;
    }
    if (readers_with_own[bias]++ == 0 && all_are_layers) continue;
    node.inputs[2] = names.unique(bias);
    copies.push_back({.name = node.inputs[2], .tensor = tensor});
    notes.push_back(
        fmt::format("'{}' is a copy of '{}' for node '{}'", node.inputs[2], bias, node.name));
  }
  for (Initializer& copy : copies) model.graph.initializers.push_back(std::move(copy));
  return {std::move(model), std::move(notes)};
}

Model split_shared_biases(Model model) { return split_biases(std::move(model)).model; }

}  // namespace quantsearch
