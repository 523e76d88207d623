#include <algorithm>
#include <utility>

#include "quantsearch/runtime.h"

namespace quantsearch {

namespace {

void count_into(const Graph& graph, std::map<std::string, int>& counts) {
  for (const Node& node : graph.nodes) {
    ++counts[node.op_type];
    for (const Attribute& attribute : node.attributes) {
      const auto* const body = std::get_if<std::shared_ptr<const Graph>>(&attribute.value);
      if (body != nullptr && *body) count_into(**body, counts);
    }
  }
}

bool has_open_first_axis(const ValueInfo& value) {
  return value.dimensions && !value.dimensions->empty() && !value.dimensions->front().size;
}

/// The model's outputs with the shapes that follow from its inputs; declared shapes are ignored.
std::vector<ValueInfo> inferred_outputs(Model model) {
  for (ValueInfo& output : model.graph.outputs) output.dimensions.reset();
  return infer_shapes(std::move(model)).graph.outputs;
}

}  // namespace

std::map<std::string, int> count_operators(const Graph& graph) {
  std::map<std::string, int> counts;
  count_into(graph, counts);
  return counts;
}

bool has_dynamic_batch(const Model& model) {
  const Graph& graph = model.graph;
  for (const ValueInfo& input : graph.inputs) {
    if (graph.find_initializer(input.name) == nullptr && !has_open_first_axis(input)) return false;
  }
  // A graph may declare an open batch and yet contain a Reshape to a fixed one, so the inferred
  // shapes count too.
  const std::vector<ValueInfo> inferred = inferred_outputs(model);
  for (std::size_t index = 0; index < graph.outputs.size(); ++index) {
    const bool is_inferred = inferred[index].dimensions.has_value();
    if (is_inferred && !has_open_first_axis(inferred[index])) return false;
    if (!is_inferred && !has_open_first_axis(graph.outputs[index])) return false;
    const bool is_declared = graph.outputs[index].dimensions.has_value();
    if (is_declared && !has_open_first_axis(graph.outputs[index])) return false;
  }
  return true;
}

}  // namespace quantsearch
