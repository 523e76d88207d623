#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "quantsearch/transform.h"

namespace quantsearch {

namespace {

/// True for inputs that become integers: weights and biases. Constants of other operators may hold
/// NaN, and infinity as masks, bounds and tables do; their readers then stay float.
bool is_weight(const Node& node, std::size_t input) {
  if (node.is("MatMul")) return true;
  return input > 0 && (node.is("Conv") || node.is("ConvTranspose") || node.is("Gemm"));
}

/// Collects the names that are read as weights, in subgraphs too.
void collect_weights(const Graph& graph, std::set<std::string, std::less<>>& weights) {
  for (const Node& node : graph.nodes) {
    for (std::size_t input = 0; input < node.inputs.size(); ++input) {
      if (is_weight(node, input)) weights.insert(node.inputs[input]);
    }
    for (const Attribute& attribute : node.attributes) {
      const auto* subgraph = std::get_if<std::shared_ptr<const Graph>>(&attribute.value);
      if (subgraph != nullptr) collect_weights(**subgraph, weights);
    }
  }
}

std::string count_text(const NonFinite& count) {
  if (count.infinite == 0) return fmt::format("{} NaN", count.nan);
  if (count.nan == 0) return fmt::format("{} infinite", count.infinite);
  return fmt::format("{} NaN, {} infinite", count.nan, count.infinite);
}

class Search {
 public:
  explicit Search(const Graph& graph) {
    collect_weights(graph, weights_);
    visit(graph);
  }

  std::vector<std::string> found;

 private:
  void visit(const Graph& graph) {
    for (const Initializer& initializer : graph.initializers)
      report(initializer.name, *initializer.tensor);
    for (const Node& node : graph.nodes) {
      for (const Attribute& attribute : node.attributes) {
        if (const auto* tensor = std::get_if<Tensor>(&attribute.value);
            tensor != nullptr && node.is("Constant")) {
          report(node.outputs[0], *tensor);
        } else if (const auto* subgraph =
                       std::get_if<std::shared_ptr<const Graph>>(&attribute.value)) {
          visit(**subgraph);
        }
      }
    }
  }

  void report(std::string_view name, const Tensor& tensor) {
    if (!weights_.contains(name)) return;
    const NonFinite count = count_non_finite(tensor);
    if (count.nan + count.infinite > 0)
      found.push_back(fmt::format("weight '{}': {}", name, count_text(count)));
  }

  std::set<std::string, std::less<>> weights_;
};

}  // namespace

std::vector<std::string> non_finite_weights(const Model& model) {
  return std::move(Search(model.graph).found);
}

}  // namespace quantsearch
