#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <queue>
#include <utility>

#include "model/subgraphs.h"
#include "quantsearch/model.h"

namespace quantsearch {

namespace {

/// For each node, the nodes that must come before it, each once. A node whose subgraph reads the
/// output of that node precedes itself.
std::vector<std::vector<int>> predecessors_of(const Graph& graph) {
  const GraphIndex index(graph);
  std::vector<std::vector<int>> predecessors(graph.nodes.size());
  for (std::size_t node = 0; node < graph.nodes.size(); ++node) {
    model_io::for_each_read(graph.nodes[node], [&](std::string_view tensor) {
      if (const std::optional<int> producer = index.producer(tensor))
        predecessors[node].push_back(*producer);
    });
    std::ranges::sort(predecessors[node]);
    // Not std::ranges::unique, which clang 14 does not compile.
    const auto repeated = std::unique(predecessors[node].begin(), predecessors[node].end());
    predecessors[node].erase(repeated, predecessors[node].end());
  }
  return predecessors;
}

/// Walks backwards from a node that could not be placed until a node repeats; every node without a
/// place has a predecessor without one.
std::string describe_cycle(const Graph& graph, const std::vector<std::vector<int>>& predecessors,
                           const std::vector<bool>& placed) {
  const auto first = std::ranges::find(placed, false);
  std::vector<int> path{static_cast<int>(first - placed.begin())};
  while (true) {
    const auto& before = predecessors[static_cast<std::size_t>(path.back())];
    const int next = *std::ranges::find_if(
        before, [&](int node) { return !placed[static_cast<std::size_t>(node)]; });
    const auto met = std::ranges::find(path, next);
    const bool is_closed = met != path.end();
    if (is_closed) path.erase(path.begin(), met);  // these only lead to the cycle
    path.push_back(next);
    if (is_closed) break;
  }
  std::ranges::reverse(path);
  constexpr std::size_t kShown = 6;  // enough to find the place in a viewer
  std::string text = describe_node(graph, path.front());
  for (std::size_t step = 1; step < path.size(); ++step) {
    if (step == kShown && path.size() > kShown + 1) text += " -> ...";
    if (step >= kShown && step + 1 < path.size()) continue;
    text += " -> " + describe_node(graph, path[step]);
  }
  return text;
}

/// The order of nodes: Kahn's algorithm (1962) that always takes the ready node with the lowest
/// index, so a sorted graph stays as it is.
std::vector<int> sorted_order(const Graph& graph) {
  const std::vector<std::vector<int>> predecessors = predecessors_of(graph);
  std::vector<std::vector<int>> successors(graph.nodes.size());
  std::vector<std::size_t> waiting(graph.nodes.size());
  std::priority_queue<int, std::vector<int>, std::greater<>> ready;
  for (std::size_t node = 0; node < graph.nodes.size(); ++node) {
    waiting[node] = predecessors[node].size();
    if (waiting[node] == 0) ready.push(static_cast<int>(node));
    for (const int before : predecessors[node])
      successors[static_cast<std::size_t>(before)].push_back(static_cast<int>(node));
  }
  std::vector<int> order;
  std::vector<bool> placed(graph.nodes.size());
  while (!ready.empty()) {
    const int node = ready.top();
    ready.pop();
    order.push_back(node);
    placed[static_cast<std::size_t>(node)] = true;
    for (const int after : successors[static_cast<std::size_t>(node)]) {
      if (--waiting[static_cast<std::size_t>(after)] == 0) ready.push(after);
    }
  }
  if (order.size() != graph.nodes.size()) {
    throw InvalidInput(
        fmt::format("graph '{}' has a cycle: {}, expected none; export the model again", graph.name,
                    describe_cycle(graph, predecessors, placed)));
  }
  return order;
}

}  // namespace

void sort_topologically(Graph& graph) {
  const std::vector<int> order = sorted_order(graph);
  if (!std::ranges::is_sorted(order)) {
    std::vector<Node> nodes;
    nodes.reserve(order.size());
    for (const int node : order)
      nodes.push_back(std::move(graph.nodes[static_cast<std::size_t>(node)]));
    graph.nodes = std::move(nodes);
  }
  for (Node& node : graph.nodes) {
    for (Attribute& attribute : node.attributes) {
      auto* const subgraph = std::get_if<std::shared_ptr<const Graph>>(&attribute.value);
      if (subgraph == nullptr) continue;
      Graph sorted = **subgraph;
      sort_topologically(sorted);
      if (sorted.nodes != (*subgraph)->nodes)
        *subgraph = std::make_shared<const Graph>(std::move(sorted));
    }
  }
}

}  // namespace quantsearch
