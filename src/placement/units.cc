#include "placement/units.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>

#include "placement/traceable_names.h"

namespace quantsearch {

namespace {

/// Disjoint sets of nodes.
class Groups {
 public:
  explicit Groups(std::size_t nodes) : parent_(nodes) {
    std::iota(parent_.begin(), parent_.end(), std::size_t{0});
  }
  std::size_t find(std::size_t node) {
    while (parent_[node] != node) node = parent_[node] = parent_[parent_[node]];
    return node;
  }
  void join(std::size_t a, std::size_t b) { parent_[find(a)] = find(b); }

 private:
  std::vector<std::size_t> parent_;
};

bool is_layer(const Node& node) {
  return node.is("Conv") || node.is("Gemm") || node.is("MatMul") || node.is("ConvTranspose");
}

/// The node after which the kernel that computes `node` was named, when it was not `node` itself:
/// for a layer the activation that reads it; else a layer whose result it alone reads, else any
/// producer that it alone reads, else the first reader.
std::optional<int> taken_over_by(const Graph& graph, const GraphIndex& index, int node) {
  const Node& at = graph.nodes[static_cast<std::size_t>(node)];
  std::optional<int> other;
  if (is_layer(at) && index.consumers(at.outputs[0]).size() == 1)
    return index.consumers(at.outputs[0]).front();
  for (const std::string& input : at.inputs) {
    const auto producer = index.producer(input);
    if (!producer || index.consumers(input).size() != 1) continue;
    if (is_layer(graph.nodes[static_cast<std::size_t>(*producer)])) return producer;
    if (!other) other = producer;
  }
  if (other || at.outputs.empty()) return other;
  const auto readers = index.consumers(at.outputs[0]);
  return readers.empty() ? std::nullopt : std::optional(readers.front());
}

/// The MatMul whose bias this Add is: they become one integer kernel.
std::optional<int> biased_matmul(const Graph& graph, const GraphIndex& index, int node) {
  const Node& at = graph.nodes[static_cast<std::size_t>(node)];
  if (!at.is("Add")) return std::nullopt;
  for (const std::size_t side : {std::size_t{0}, std::size_t{1}}) {
    const auto producer = index.producer(at.inputs[side]);
    if (producer && graph.nodes[static_cast<std::size_t>(*producer)].is("MatMul") &&
        index.consumers(at.inputs[side]).size() == 1 &&
        index.initializer(at.inputs[1 - side]) != nullptr)
      return producer;
  }
  return std::nullopt;
}

Groups group_nodes(const Graph& graph, const GraphIndex& index,
                   const std::vector<KernelTime>& kernels) {
  Groups groups(graph.nodes.size());
  std::vector<bool> has_kernel(graph.nodes.size());
  for (const KernelTime& kernel : kernels) {
    const std::vector<int> nodes = traced_nodes(kernel.name);
    for (const int node : nodes) {
      has_kernel[static_cast<std::size_t>(node)] = true;
      groups.join(static_cast<std::size_t>(node), static_cast<std::size_t>(nodes.front()));
    }
  }
  for (std::size_t node = 0; node < graph.nodes.size(); ++node) {
    const auto other = has_kernel[node] ? biased_matmul(graph, index, static_cast<int>(node))
                                        : taken_over_by(graph, index, static_cast<int>(node));
    if (other) groups.join(node, static_cast<std::size_t>(*other));
  }
  return groups;
}

std::string shape_text(const GraphIndex& index, const std::string& tensor) {
  if (const Tensor* const constant = index.initializer(tensor))
    return fmt::format("[{}]", fmt::join(constant->shape(), ","));
  const ValueInfo* const value = index.value(tensor);
  if (value == nullptr || !value->dimensions) return "[?]";
  std::vector<std::string> sizes;
  for (const Dimension& dimension : *value->dimensions)
    sizes.push_back(dimension.size ? std::to_string(*dimension.size) : "n");
  return fmt::format("[{}]", fmt::join(sizes, ","));
}

/// What the time of a node depends on.
std::string node_text(const GraphIndex& index, const Node& node) {
  std::string text = operator_pattern(index, node);
  for (const char* const name : {"strides", "dilations", "kernel_shape"}) {
    const std::vector<std::int64_t> values = node.ints_attribute(name, {});
    const bool is_plain =
        std::ranges::all_of(values, [](std::int64_t value) { return value == 1; });
    if (!is_plain) text += fmt::format(" {} {}", name, fmt::join(values, "x"));
  }
  for (const std::string& input : node.inputs) {
    if (!input.empty()) text += " " + shape_text(index, input);
  }
  return text;
}

std::string pattern_of(const Graph& graph, const GraphIndex& index, const Unit& unit) {
  std::vector<std::string> parts;
  for (const int node : unit.nodes)
    parts.push_back(node_text(index, graph.nodes[static_cast<std::size_t>(node)]));
  return fmt::format("{}{}", fmt::join(parts, ", "), unit.can_be_integer ? "" : " (float)");
}

}  // namespace

Units find_units(const Graph& graph, const std::vector<KernelTime>& kernels,
                 const std::vector<LayerRecord>& layers) {
  const GraphIndex index(graph);
  Groups groups = group_nodes(graph, index, kernels);
  Units found{.units = {}, .of_node = std::vector<int>(graph.nodes.size())};
  std::map<std::size_t, int> unit_of_group;
  for (std::size_t node = 0; node < graph.nodes.size(); ++node) {
    const auto [entry, is_new] =
        unit_of_group.emplace(groups.find(node), static_cast<int>(found.units.size()));
    if (is_new) found.units.emplace_back();
    found.of_node[node] = entry->second;
    Unit& unit = found.units[static_cast<std::size_t>(entry->second)];
    unit.nodes.push_back(static_cast<int>(node));
    unit.can_be_integer = unit.can_be_integer || layers[node].quantized;
  }
  for (Unit& unit : found.units) unit.pattern = pattern_of(graph, index, unit);
  return found;
}

}  // namespace quantsearch
