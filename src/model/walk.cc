#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <queue>
#include <set>

#include "model/subgraphs.h"
#include "quantsearch/model.h"

namespace quantsearch {

namespace model_io {

std::vector<const Graph*> subgraphs_of(const Node& node) {
  std::vector<const Graph*> graphs;
  for (const Attribute& attribute : node.attributes) {
    if (const auto* graph = std::get_if<std::shared_ptr<const Graph>>(&attribute.value))
      graphs.push_back(graph->get());
  }
  return graphs;
}

std::vector<std::string_view> outer_reads(const Graph& graph) {
  std::set<std::string_view> defined;
  for (const ValueInfo& input : graph.inputs) defined.insert(input.name);
  for (const Initializer& initializer : graph.initializers) defined.insert(initializer.name);
  for (const Node& node : graph.nodes) defined.insert(node.outputs.begin(), node.outputs.end());
  std::vector<std::string_view> reads;
  const auto note = [&](std::string_view name) {
    if (!defined.contains(name)) reads.push_back(name);
  };
  for (const Node& node : graph.nodes) for_each_read(node, note);
  for (const ValueInfo& output : graph.outputs) note(output.name);
  return reads;
}

bool defines(const Graph& graph, std::string_view tensor) {
  const auto makes = [tensor](const Node& node) {
    return std::ranges::count(node.outputs, tensor) > 0;
  };
  const auto is_named = [tensor](const auto& item) { return item.name == tensor; };
  return std::ranges::any_of(graph.inputs, is_named) ||
         std::ranges::any_of(graph.initializers, is_named) ||
         std::ranges::any_of(graph.nodes, makes);
}

}  // namespace model_io

GraphIndex::GraphIndex(const Graph& graph) {
  const auto entry = [this](std::string_view tensor) -> Entry& {
    const auto found = entries_.lower_bound(tensor);
    if (found != entries_.end() && found->first == tensor) return found->second;
    return entries_.emplace_hint(found, tensor, Entry{})->second;
  };
  for (const ValueInfo& value : graph.values) entry(value.name).value = &value;
  for (const ValueInfo& value : graph.outputs) {
    Entry& output = entry(value.name);
    output.is_output = true;
    output.value = &value;
  }
  for (const ValueInfo& value : graph.inputs) {
    Entry& input = entry(value.name);
    input.is_input = true;
    input.value = &value;
  }
  for (const Initializer& initializer : graph.initializers)
    entry(initializer.name).initializer = initializer.tensor;
  for (int node = 0; node < static_cast<int>(graph.nodes.size()); ++node) {
    const Node& current = graph.nodes[static_cast<std::size_t>(node)];
    model_io::for_each_read(current, [&](std::string_view tensor) {
      std::vector<int>& consumers = entry(tensor).consumers;
      if (consumers.empty() || consumers.back() != node) consumers.push_back(node);
    });
    for (const std::string& output : current.outputs) {
      if (!output.empty()) entry(output).producer = node;
    }
  }
}

const GraphIndex::Entry* GraphIndex::find(std::string_view tensor) const {
  const auto found = entries_.find(tensor);
  return found == entries_.end() ? nullptr : &found->second;
}

std::optional<int> GraphIndex::producer(std::string_view tensor) const {
  const Entry* const entry = find(tensor);
  return entry == nullptr ? std::nullopt : entry->producer;
}

std::span<const int> GraphIndex::consumers(std::string_view tensor) const {
  const Entry* const entry = find(tensor);
  return entry == nullptr ? std::span<const int>() : std::span<const int>(entry->consumers);
}

const Tensor* GraphIndex::initializer(std::string_view tensor) const {
  const Entry* const entry = find(tensor);
  return entry == nullptr ? nullptr : entry->initializer.get();
}

std::shared_ptr<const Tensor> GraphIndex::shared_initializer(std::string_view tensor) const {
  const Entry* const entry = find(tensor);
  return entry == nullptr ? nullptr : entry->initializer;
}

bool GraphIndex::is_graph_input(std::string_view tensor) const {
  const Entry* const entry = find(tensor);
  return entry != nullptr && entry->is_input;
}

bool GraphIndex::is_graph_output(std::string_view tensor) const {
  const Entry* const entry = find(tensor);
  return entry != nullptr && entry->is_output;
}

const ValueInfo* GraphIndex::value(std::string_view tensor) const {
  const Entry* const entry = find(tensor);
  return entry == nullptr ? nullptr : entry->value;
}

std::string describe_node(const Graph& graph, int node) {
  const Node& described = graph.nodes.at(static_cast<std::size_t>(node));
  if (described.name.empty()) return fmt::format("{} #{}", described.op_type, node);
  return fmt::format("{} '{}'", described.op_type, described.name);
}

std::string node_label(const Graph& graph, int node) {
  const Node& labelled = graph.nodes.at(static_cast<std::size_t>(node));
  return labelled.name.empty() ? fmt::format("{}#{}", labelled.op_type, node) : labelled.name;
}

std::int64_t weight_bytes(const Graph& graph) {
  std::int64_t bytes = 0;
  for (const Initializer& initializer : graph.initializers) {
    bytes += static_cast<std::int64_t>(initializer.tensor->bytes().size());
  }
  for (const Node& node : graph.nodes) {
    for (const Graph* subgraph : model_io::subgraphs_of(node)) bytes += weight_bytes(*subgraph);
  }
  return bytes;
}

}  // namespace quantsearch
