#pragma once

// What the rules read that need a graph and nothing else: the graph and its index.

#include <string_view>

#include "quantsearch/model.h"

namespace quantsearch {

/// A view: it owns nothing, and both must outlive it. A PlanView serves as one.
struct GraphView {
  const Graph& graph;
  const GraphIndex& index;  // of `graph`

  [[nodiscard]] int node_count() const { return static_cast<int>(graph.nodes.size()); }
  [[nodiscard]] const Node& node(int at) const { return graph.nodes[static_cast<std::size_t>(at)]; }
  /// The node that makes `tensor`; null for graph inputs, initializers and unknown names.
  [[nodiscard]] const Node* producer(std::string_view tensor) const {
    const auto at = index.producer(tensor);
    return at ? &node(*at) : nullptr;
  }
};

}  // namespace quantsearch
