#pragma once

// Selects the options that apply to one graph of a model, because users name nodes and tensors of
// the main graph and of bodies in the same lists.

#include <set>
#include <string>

#include "quantsearch/quantize.h"

namespace quantsearch {

/// The names that users can write for one graph or for several.
struct GraphNames {
  std::set<std::string, std::less<>> nodes;    // node_label()
  std::set<std::string, std::less<>> tensors;  // inputs and outputs of its own nodes
  std::set<std::string, std::less<>> op_types;
};
[[nodiscard]] GraphNames names_in(const Graph& graph);
/// The names in all bodies of the graph, nested ones included.
[[nodiscard]] GraphNames names_in_bodies(const Graph& graph);

/// `options` for the main graph, without the entries that name something in bodies only. Names that
/// are known nowhere stay, so that they are reported as errors.
[[nodiscard]] QuantizeOptions main_graph_options(const QuantizeOptions& options,
                                                 const Graph& graph);
/// `options` for a body, with only the entries that name something in it.
[[nodiscard]] QuantizeOptions body_options(const QuantizeOptions& options, const Graph& body);

}  // namespace quantsearch
