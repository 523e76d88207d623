#include "equalize/constant_writer.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace quantsearch::equalizing {

ConstantWriter::ConstantWriter(Graph& graph, const GraphIndex& index)
    : graph_(graph), index_(index), names_(graph) {
  for (std::size_t position = 0; position < graph.initializers.size(); ++position) {
    positions_.emplace(graph.initializers[position].name, position);
  }
}

std::string ConstantWriter::add(std::string_view wanted, Tensor tensor) {
  std::string name = names_.unique(wanted);
  graph_.initializers.push_back(
      {.name = name, .tensor = std::make_shared<const Tensor>(std::move(tensor))});
  return name;
}

void ConstantWriter::set(int node, std::size_t input, std::string_view wanted, Tensor tensor) {
  std::vector<std::string>& inputs = graph_.nodes[static_cast<std::size_t>(node)].inputs;
  if (inputs.size() <= input) inputs.resize(input + 1);
  if (inputs[input].empty()) {
    inputs[input] = add(wanted, std::move(tensor));
  } else {
    set_shared(std::span(&node, 1), input, std::move(tensor));
  }
}

void ConstantWriter::set_shared(std::span<const int> nodes, std::size_t input, Tensor tensor) {
  const auto inputs_of = [&](int node) -> std::vector<std::string>& {
    return graph_.nodes[static_cast<std::size_t>(node)].inputs;
  };
  const std::string before = inputs_of(nodes[0])[input];
  const auto found = positions_.find(before);
  const auto readers = index_.consumers(before);
  // A reader that does not name the tensor reads it in a subgraph, possibly many times.
  const bool are_alone = found != positions_.end() && readers.size() == nodes.size() &&
                         !index_.is_graph_output(before) &&
                         std::ranges::all_of(nodes, [&](int node) {
                           return std::ranges::find(readers, node) != readers.end() &&
                                  std::ranges::count(inputs_of(node), before) == 1;
                         });
  if (are_alone) {
    graph_.initializers[found->second].tensor = std::make_shared<const Tensor>(std::move(tensor));
    return;
  }
  const std::string name = add(before, std::move(tensor));
  for (const int node : nodes) inputs_of(node)[input] = name;
}

}  // namespace quantsearch::equalizing
