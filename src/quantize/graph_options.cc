#include "quantize/graph_options.h"

#include <algorithm>
#include <functional>
#include <regex>
#include <vector>

#include "quantsearch/internal/model/bodies.h"

namespace quantsearch {

namespace {

using Names = std::set<std::string, std::less<>>;

void collect(const Graph& graph, GraphNames& names) {
  for (int node = 0; node < static_cast<int>(graph.nodes.size()); ++node) {
    const Node& at = graph.nodes[static_cast<std::size_t>(node)];
    names.nodes.insert(node_label(graph, node));
    names.op_types.insert(at.op_type);
    names.tensors.insert(at.inputs.begin(), at.inputs.end());
    names.tensors.insert(at.outputs.begin(), at.outputs.end());
  }
}

void collect_bodies(const Graph& graph, GraphNames& names) {
  for (const BodyPlace& place : bodies_of(graph)) {
    const Graph& body = body_at(graph, place);
    collect(body, names);
    collect_bodies(body, names);
  }
}

bool matches_any(const std::string& pattern, const Names& labels) {
  try {
    const std::regex expression(pattern);
    return std::ranges::any_of(
        labels, [&](const std::string& label) { return std::regex_search(label, expression); });
  } catch (const std::regex_error&) {
    return false;  // excluded_by_options() throws for it in the main graph
  }
}

/// Tells whether the entry of an option (the name of a node, an entry of exclude_nodes, the name of
/// a node or tensor, a subgraph) belongs to the graph with these names.
struct Belongs {
  const GraphNames& names;
  [[nodiscard]] bool node(const std::string& name) const { return names.nodes.contains(name); }
  [[nodiscard]] bool excluded(const std::string& name) const {
    return name.starts_with('^') ? matches_any(name, names.nodes) : node(name);
  }
  [[nodiscard]] bool either(const std::string& name) const {
    return node(name) || names.tensors.contains(name);
  }
  [[nodiscard]] bool subgraph(const QuantizeOptions::Subgraph& subgraph) const {
    const auto is_here = [this](const std::string& name) { return node(name); };
    return std::ranges::any_of(subgraph.starts, is_here) ||
           std::ranges::any_of(subgraph.ends, is_here);
  }
};

/// Removes the entries that are not in `own` and for which `dropped` is true.
template <typename Dropped>
QuantizeOptions narrowed(QuantizeOptions options, const GraphNames& own, const Dropped& dropped) {
  const Belongs here{own};
  const auto erase = [&](auto& list, auto belongs) {
    std::erase_if(list, [&](const auto& item) {
      return !std::invoke(belongs, here, item) &&
             dropped([&](const Belongs& there) { return std::invoke(belongs, there, item); });
    });
  };
  erase(options.nodes, &Belongs::node);
  erase(options.exclude_nodes, &Belongs::excluded);
  erase(options.input_tensors, &Belongs::either);
  erase(options.output_tensors, &Belongs::either);
  erase(options.exclude_subgraphs, &Belongs::subgraph);
  std::erase_if(options.node_formats, [&](const auto& format) {
    return !here.node(format.first) &&
           dropped([&](const Belongs& there) { return there.node(format.first); });
  });
  std::erase_if(options.overrides, [&](const auto& entry) {
    return !own.tensors.contains(entry.first) &&
           dropped([&](const Belongs& there) { return there.names.tensors.contains(entry.first); });
  });
  std::erase_if(options.exclude_op_types, [&](const std::string& type) {
    return !own.op_types.contains(type) &&
           dropped([&](const Belongs& there) { return there.names.op_types.contains(type); });
  });
  return options;
}

}  // namespace

GraphNames names_in(const Graph& graph) {
  GraphNames names;
  collect(graph, names);
  return names;
}

GraphNames names_in_bodies(const Graph& graph) {
  GraphNames names;
  collect_bodies(graph, names);
  return names;
}

QuantizeOptions main_graph_options(const QuantizeOptions& options, const Graph& graph) {
  const GraphNames inside = names_in_bodies(graph);
  if (inside.nodes.empty()) return options;
  return narrowed(options, names_in(graph),
                  [&](const auto& belongs) { return belongs(Belongs{inside}); });
}

QuantizeOptions body_options(const QuantizeOptions& options, const Graph& body) {
  return narrowed(options, names_in(body), [](const auto&) { return true; });
}

}  // namespace quantsearch
