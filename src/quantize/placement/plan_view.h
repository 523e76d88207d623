#pragma once

// What the rules that follow the plan read: the graph, its index, the plan and the options. They
// always belong together, so they are passed as one.

#include "quantize/placement/graph_view.h"
#include "quantize/placement/plan.h"
#include "quantsearch/quantize.h"

namespace quantsearch {

/// A view: it owns nothing, and all four must outlive it.
struct PlanView {
  const Graph& graph;
  const GraphIndex& index;  // of `graph`
  const Plan& plan;         // one NodePlan for each node of `graph`
  const QuantizeOptions& options;

  /// For the rules that need no plan.
  operator GraphView() const { return {.graph = graph, .index = index}; }
  [[nodiscard]] int node_count() const { return static_cast<int>(graph.nodes.size()); }
  [[nodiscard]] const Node& node(int at) const { return graph.nodes[static_cast<std::size_t>(at)]; }
  [[nodiscard]] const NodePlan& planned(int at) const {
    return plan.nodes[static_cast<std::size_t>(at)];
  }
};

}  // namespace quantsearch
