#include "model/validate.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>
#include <string>

#include "model/subgraphs.h"
#include "quantsearch/internal/model/bodies.h"

namespace quantsearch::model_io {

namespace {

constexpr std::int64_t kOldestOpset = 7;  // broadcasting became what it is today

using Names = std::set<std::string, std::less<>>;

void validate_opset(const Model& model) {
  if (model.opsets.empty()) throw InvalidInput("the model imports no operator set");
  const auto found = model.opsets.find("");
  // When every operator is of another domain, the version of ai.onnx does not matter. Bodies need
  // no check: they belong to If, Loop and Scan, which are operators of ai.onnx.
  const bool is_foreign =
      !model.graph.nodes.empty() &&
      std::ranges::none_of(model.graph.nodes, [](const Node& node) { return node.domain.empty(); });
  if (found == model.opsets.end() || is_foreign) return;
  if (found->second < kOldestOpset) {
    throw InvalidInput(fmt::format(
        "the model uses opset {}, expected {} to {}; export it again with a newer opset",
        found->second, kOldestOpset, newest_opset()));
  }
  if (found->second > newest_opset()) {
    throw InvalidInput(fmt::format(
        "the model uses opset {}, expected {} to {}; export it again with an older opset",
        found->second, kOldestOpset, newest_opset()));
  }
}

/// The names that a graph defines. Throws InvalidInput for a name that is defined twice, except
/// that an initializer may give an input its default value.
Names defined_names(const Graph& graph) {
  Names names;
  const auto define = [&](const std::string& name, const std::string& by) {
    if (!names.insert(name).second) {
      throw InvalidInput(
          fmt::format("name '{}' is defined twice in graph '{}', the second time by {}; give one "
                      "of the two another name",
                      name, graph.name, by));
    }
  };
  for (const ValueInfo& input : graph.inputs) define(input.name, "an input");
  const Names inputs = names;
  Names initializers;
  for (const Initializer& initializer : graph.initializers) {
    const bool is_default =
        inputs.contains(initializer.name) && !initializers.contains(initializer.name);
    if (!is_default) define(initializer.name, "an initializer");
    initializers.insert(initializer.name);
  }
  for (int node = 0; node < static_cast<int>(graph.nodes.size()); ++node) {
    for (const std::string& output : graph.nodes[static_cast<std::size_t>(node)].outputs) {
      if (!output.empty()) define(output, describe_node(graph, node));
    }
  }
  return names;
}

/// The names that are visible in a graph: its own and those of the outer graphs.
struct Scope {
  Names names;
  const Scope* outer = nullptr;

  [[nodiscard]] bool has(std::string_view name) const {
    return names.contains(name) || (outer != nullptr && outer->has(name));
  }
};

/// True when a node of a body gives a tensor the name of a tensor of an outer graph: the format
/// forbids this, but runtimes accept and write such models.
bool validate_graph(const Graph& graph, const Scope* outer) {
  const Scope scope{defined_names(graph), outer};
  bool hides = false;
  for (int node = 0; node < static_cast<int>(graph.nodes.size()); ++node) {
    const Node& current = graph.nodes[static_cast<std::size_t>(node)];
    for (const std::string& input : current.inputs) {
      if (input.empty() || scope.has(input)) continue;
      throw InvalidInput(
          fmt::format("input '{}' of {} in graph '{}' is made by no node, input or initializer, "
                      "expected one of them; export the model again",
                      input, describe_node(graph, node), graph.name));
    }
    const auto is_outside = [&](const std::string& output) {
      return !output.empty() && outer->has(output);
    };
    if (outer != nullptr && std::ranges::any_of(current.outputs, is_outside)) hides = true;
    for (const Graph* subgraph : subgraphs_of(current)) {
      if (validate_graph(*subgraph, &scope)) hides = true;
    }
  }
  for (const ValueInfo& output : graph.outputs) {
    if (scope.has(output.name)) continue;
    throw InvalidInput(
        fmt::format("output '{}' of graph '{}' is made by no node, input or initializer, expected "
                    "one of them; export the model again",
                    output.name, graph.name));
  }
  return hides;
}

}  // namespace

void validate_structure(Model& model) {
  validate_opset(model);
  if (validate_graph(model.graph, nullptr)) make_body_names_unique(model.graph);
  sort_topologically(model.graph);
}

}  // namespace quantsearch::model_io
