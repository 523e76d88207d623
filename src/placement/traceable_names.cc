#include "placement/traceable_names.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <string>

namespace quantsearch {

namespace {

constexpr char kMark = '@';

std::string mark_of(std::size_t node) { return fmt::format("{}{}{}", kMark, node, kMark); }

/// True when a body reads the tensor, so that its name must stay.
bool is_captured(const Graph& graph, const GraphIndex& index, const std::string& tensor) {
  return std::ranges::any_of(index.consumers(tensor), [&](int reader) {
    const auto& inputs = graph.nodes[static_cast<std::size_t>(reader)].inputs;
    return std::ranges::find(inputs, tensor) == inputs.end();
  });
}

}  // namespace

Model with_traceable_names(const Model& model) {
  Model traced = model;
  const GraphIndex index(model.graph);
  std::map<std::string, std::string, std::less<>> renamed;
  for (std::size_t node = 0; node < model.graph.nodes.size(); ++node) {
    Node& at = traced.graph.nodes[node];
    at.name = mark_of(node);
    for (std::size_t output = 0; output < at.outputs.size(); ++output) {
      std::string& name = at.outputs[output];
      if (name.empty() || is_captured(model.graph, index, name)) continue;
      name = renamed[name] = fmt::format("{}{}", mark_of(node), output);
    }
  }
  for (Node& node : traced.graph.nodes) {
    for (std::string& input : node.inputs) {
      if (const auto found = renamed.find(input); found != renamed.end()) input = found->second;
    }
  }
  for (auto* const values : {&traced.graph.values, &traced.graph.outputs}) {
    for (ValueInfo& value : *values) {
      if (const auto found = renamed.find(value.name); found != renamed.end())
        value.name = found->second;
    }
  }
  return traced;
}

std::vector<int> traced_nodes(std::string_view kernel) {
  std::vector<int> nodes;
  for (std::size_t at = kernel.find(kMark); at != std::string_view::npos;
       at = kernel.find(kMark, at + 1)) {
    int node = 0;
    const char* const first = kernel.data() + at + 1;
    const auto [end, error] = std::from_chars(first, kernel.data() + kernel.size(), node);
    if (error == std::errc() && end != kernel.data() + kernel.size() && *end == kMark) {
      nodes.push_back(node);
      at = static_cast<std::size_t>(end - kernel.data());
    }
  }
  return nodes;
}

}  // namespace quantsearch
