#include <optional>
#include <set>
#include <string>
#include <vector>

#include "model/subgraphs.h"
#include "quantsearch/internal/model/checks.h"

namespace quantsearch {

namespace {

/// The value of a tensor of one boolean that is an initializer or the output of a Constant.
std::optional<bool> known_switch(const Graph& graph, const GraphIndex& index,
                                 std::string_view tensor) {
  const Tensor* value = index.is_graph_input(tensor) ? nullptr : index.initializer(tensor);
  if (const auto maker = index.producer(tensor); maker && value == nullptr) {
    const Node& node = graph.nodes[static_cast<std::size_t>(*maker)];
    const Attribute* constant = node.is("Constant") ? node.find_attribute("value") : nullptr;
    if (constant != nullptr) value = std::get_if<Tensor>(&constant->value);
  }
  if (value == nullptr || value->type() != DataType::boolean || value->size() != 1)
    return std::nullopt;
  return value->values<bool>()[0];
}

/// Input 2 of Dropout is its training mode. Before opset 12 there is no such input, and Dropout
/// cannot train.
bool may_train(const Graph& graph, const GraphIndex& index, const Node& node) {
  return node.is("Dropout") && !node.input(2).empty() &&
         known_switch(graph, index, node.input(2)).value_or(true);
}

}  // namespace

bool draws_random_numbers(const Node& node) {
  static const std::set<std::string, std::less<>> kRandom = {
      "Bernoulli",        "Dropout",       "Multinomial",       "RandomNormal",
      "RandomNormalLike", "RandomUniform", "RandomUniformLike",
  };
  return node.domain.empty() && kRandom.contains(node.op_type);
}

std::vector<std::string> random_nodes(const Graph& graph) {
  std::vector<std::string> found;
  const GraphIndex index(graph);
  for (int at = 0; at < static_cast<int>(graph.nodes.size()); ++at) {
    const Node& node = graph.nodes[static_cast<std::size_t>(at)];
    if (node.is("Dropout") ? may_train(graph, index, node) : draws_random_numbers(node))
      found.push_back(describe_node(graph, at));
    for (const Graph* subgraph : model_io::subgraphs_of(node)) {
      const std::vector<std::string> inner = random_nodes(*subgraph);
      found.insert(found.end(), inner.begin(), inner.end());
    }
  }
  return found;
}

}  // namespace quantsearch
