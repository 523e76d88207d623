#pragma once

// Graphs inside attributes (If, Loop, Scan) and what they read from the graphs around them.

#include <memory>
#include <string_view>
#include <vector>

#include "quantsearch/model.h"

namespace quantsearch::model_io {

/// The graphs in a node's attributes; empty for nearly every node.
[[nodiscard]] std::vector<const Graph*> subgraphs_of(const Node& node);

/// Calls visit(name) for each read of an outer tensor by a node: its inputs, then what its
/// subgraphs read and do not define themselves. A name may come several times.
template <typename Visit>
void for_each_read(const Node& node, const Visit& visit);

/// Names that a graph reads from outer graphs, its outputs included; each may come several times.
[[nodiscard]] std::vector<std::string_view> outer_reads(const Graph& graph);

template <typename Visit>
void for_each_read(const Node& node, const Visit& visit) {
  for (const std::string& input : node.inputs) {
    if (!input.empty()) visit(std::string_view(input));
  }
  for (const Graph* subgraph : subgraphs_of(node)) {
    for (const std::string_view name : outer_reads(*subgraph)) visit(name);
  }
}

/// True when the graph itself defines the tensor as an input, an initializer or a node's output.
[[nodiscard]] bool defines(const Graph& graph, std::string_view tensor);

}  // namespace quantsearch::model_io
