#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "model/subgraphs.h"
#include "quantsearch/model.h"

namespace quantsearch {

namespace {

template <typename Visit>
void for_each_name(const Graph& graph, const Visit& visit) {
  for (const auto* list : {&graph.inputs, &graph.outputs, &graph.values}) {
    for (const ValueInfo& value : *list) visit(value.name);
  }
  for (const Initializer& initializer : graph.initializers) visit(initializer.name);
  for (const Node& node : graph.nodes) {
    visit(node.name);
    for (const std::string& input : node.inputs) visit(input);
    for (const std::string& output : node.outputs) visit(output);
    for (const Graph* subgraph : model_io::subgraphs_of(node)) for_each_name(*subgraph, visit);
  }
}

bool reads_from_outside(const Graph& graph, std::string_view tensor) {
  return std::ranges::count(model_io::outer_reads(graph), tensor) > 0;
}

/// Replaces outer reads in a subgraph. An output of the subgraph may be an outer read too.
Graph with_replaced_reads(Graph graph, std::string_view from, std::string_view to) {
  if (model_io::defines(graph, to)) {
    throw InternalError(
        fmt::format("reads of '{}' in subgraph '{}' cannot become '{}': the subgraph has its own",
                    from, graph.name, to));
  }
  replace_reads(graph, from, to);
  for (ValueInfo& output : graph.outputs) {
    if (output.name == from) output.name = to;
  }
  return graph;
}

}  // namespace

NameAllocator::NameAllocator(const Graph& graph) {
  for_each_name(graph, [this](const std::string& name) { used_.emplace(name, 0); });
}

std::string NameAllocator::unique(std::string_view wanted) {
  const auto [entry, is_free] = used_.emplace(wanted, 0);
  if (is_free && !wanted.empty()) return std::string(wanted);
  while (true) {
    std::string candidate = fmt::format("{}_{}", wanted, ++entry->second);
    if (used_.emplace(candidate, 0).second) return candidate;
  }
}

void replace_reads(Graph& graph, std::string_view from, std::string_view to) {
  if (from == to) return;
  for (Node& node : graph.nodes) {
    std::ranges::replace(node.inputs, from, to);
    for (Attribute& attribute : node.attributes) {
      auto* const subgraph = std::get_if<std::shared_ptr<const Graph>>(&attribute.value);
      if (subgraph == nullptr || !reads_from_outside(**subgraph, from)) continue;
      *subgraph = std::make_shared<const Graph>(with_replaced_reads(**subgraph, from, to));
    }
  }
}

void remove_unused_values(Graph& graph) {
  std::set<std::string, std::less<>> read;
  std::set<std::string, std::less<>> made;
  for (const ValueInfo& input : graph.inputs) made.insert(input.name);
  for (const ValueInfo& output : graph.outputs) read.insert(output.name);
  for (const Node& node : graph.nodes) {
    model_io::for_each_read(node, [&](std::string_view tensor) { read.emplace(tensor); });
    made.insert(node.outputs.begin(), node.outputs.end());
  }
  std::erase_if(graph.initializers,
                [&](const Initializer& unused) { return !read.contains(unused.name); });
  for (const Initializer& initializer : graph.initializers) made.insert(initializer.name);
  std::erase_if(graph.values, [&](const ValueInfo& unused) {
    return !read.contains(unused.name) || !made.contains(unused.name);
  });
}

}  // namespace quantsearch
