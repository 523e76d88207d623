#pragma once

// Options of one graph of a model: users name nodes and tensors of the main graph and of bodies in
// the same lists.

#include <set>
#include <string>

#include "quantsearch/quantize.h"

namespace quantsearch {

/// What users can name in one graph, or in several.
struct GraphNames {
  std::set<std::string, std::less<>> nodes;    // node_label()
  std::set<std::string, std::less<>> tensors;  // that its nodes make or read themselves
  std::set<std::string, std::less<>> op_types;
};
[[nodiscard]] GraphNames names_in(const Graph& graph);
/// Of all bodies of the graph, one inside the other included.
[[nodiscard]] GraphNames names_in_bodies(const Graph& graph);

/// `options` for the main graph: without what names bodies only. Names that are known nowhere stay,
/// to be refused.
[[nodiscard]] QuantizeOptions main_graph_options(const QuantizeOptions& options,
                                                 const Graph& graph);
/// `options` for a body: with what names something in it.
[[nodiscard]] QuantizeOptions body_options(const QuantizeOptions& options, const Graph& body);

}  // namespace quantsearch
