#pragma once

// A graph with its index, the argument of all rules that need nothing else.

#include <string_view>

#include "quantsearch/model.h"

namespace quantsearch {

/// A view, which owns nothing; graph and index must outlive it. A PlanView converts to one.
struct GraphView {
  const Graph& graph;
  const GraphIndex& index;  // of `graph`

  [[nodiscard]] int node_count() const { return static_cast<int>(graph.nodes.size()); }
  [[nodiscard]] const Node& node(int at) const { return graph.nodes[static_cast<std::size_t>(at)]; }
  /// The node that produces `tensor`; null for graph inputs, initializers and unknown names.
  [[nodiscard]] const Node* producer(std::string_view tensor) const {
    const auto at = index.producer(tensor);
    return at ? &node(*at) : nullptr;
  }
};

}  // namespace quantsearch
