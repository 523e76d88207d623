#include <fmt/core.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "transform/pass.h"

namespace quantsearch {

PassResult remove_dead_nodes(Model model) {
  Graph& graph = model.graph;
  std::vector<bool> is_alive(graph.nodes.size(), false);
  std::vector<std::string> notes;
  {
    // The walk is backwards over sorted nodes, so every reader is decided before what it reads.
    const GraphIndex index(graph);
    const auto is_needed = [&](const std::string& output) {
      return index.is_graph_output(output) ||
             std::ranges::any_of(index.consumers(output), [&](int reader) {
               return is_alive[static_cast<std::size_t>(reader)];
             });
    };
    for (std::size_t position = graph.nodes.size(); position-- > 0;) {
      is_alive[position] = std::ranges::any_of(graph.nodes[position].outputs, is_needed);
      if (!is_alive[position]) {
        notes.push_back(
            fmt::format("{} removed", describe_node(graph, static_cast<int>(position))));
      }
    }
  }
  std::vector<Node> kept;
  for (std::size_t position = 0; position < graph.nodes.size(); ++position) {
    if (is_alive[position]) kept.push_back(std::move(graph.nodes[position]));
  }
  graph.nodes = std::move(kept);
  const std::size_t before = graph.initializers.size();
  remove_unused_values(graph);
  if (graph.initializers.size() < before) {
    notes.push_back(fmt::format("{} unused constants removed", before - graph.initializers.size()));
  }
  return {std::move(model), std::move(notes)};
}

}  // namespace quantsearch
