#pragma once

// The graph, its index, the plan and the options, which all rules after the plan read. They always
// belong together, so they are passed as one argument.

#include "quantize/placement/graph_view.h"
#include "quantize/placement/plan.h"
#include "quantsearch/quantize.h"

namespace quantsearch {

/// A view, which owns nothing; all four must outlive it.
struct PlanView {
  const Graph& graph;
  const GraphIndex& index;  // of `graph`, with stored constants as initializers
  const Plan& plan;         // one NodePlan for each node of `graph`
  const QuantizeOptions& options;

  /// Converts for the rules that need no plan.
  operator GraphView() const { return {.graph = graph, .index = index}; }
  [[nodiscard]] int node_count() const { return static_cast<int>(graph.nodes.size()); }
  [[nodiscard]] const Node& node(int at) const { return graph.nodes[static_cast<std::size_t>(at)]; }
  [[nodiscard]] const NodePlan& planned(int at) const {
    return plan.nodes[static_cast<std::size_t>(at)];
  }
};

}  // namespace quantsearch
