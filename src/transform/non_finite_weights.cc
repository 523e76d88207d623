#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "quantsearch/transform.h"

namespace quantsearch {

namespace {

// Operators for which infinity is a bound or a mask, not a broken weight.
bool may_read_infinity(const Node& node) {
  static const std::set<std::string, std::less<>> operators = {
      "Add",         "Sub",   "Where",     "Clip",           "Min",
      "Max",         "Pad",   "Greater",   "GreaterOrEqual", "Less",
      "LessOrEqual", "Equal", "ScatterND", "ScatterElements"};
  return node.domain.empty() && operators.contains(node.op_type);
}

std::string count_text(const NonFinite& count) {
  if (count.infinite == 0) return fmt::format("{} NaN", count.nan);
  if (count.nan == 0) return fmt::format("{} infinite", count.infinite);
  return fmt::format("{} NaN, {} infinite", count.nan, count.infinite);
}

void report(std::string_view name, const Tensor& tensor, bool infinity_is_fine,
            std::vector<std::string>& found) {
  NonFinite count = count_non_finite(tensor);
  if (infinity_is_fine) count.infinite = 0;
  if (count.nan + count.infinite > 0)
    found.push_back(fmt::format("weight '{}': {}", name, count_text(count)));
}

void collect(const Graph& graph, std::vector<std::string>& found) {
  const GraphIndex index(graph);
  const auto infinity_is_fine = [&](std::string_view name) {
    const auto readers = index.consumers(name);
    return !readers.empty() && std::ranges::all_of(readers, [&](int reader) {
      return may_read_infinity(graph.nodes[static_cast<std::size_t>(reader)]);
    });
  };
  for (const Initializer& initializer : graph.initializers) {
    report(initializer.name, *initializer.tensor, infinity_is_fine(initializer.name), found);
  }
  for (const Node& node : graph.nodes) {
    for (const Attribute& attribute : node.attributes) {
      if (const auto* tensor = std::get_if<Tensor>(&attribute.value);
          tensor != nullptr && node.is("Constant")) {
        report(node.outputs[0], *tensor, infinity_is_fine(node.outputs[0]), found);
      } else if (const auto* subgraph =
                     std::get_if<std::shared_ptr<const Graph>>(&attribute.value)) {
        collect(**subgraph, found);
      }
    }
  }
}

}  // namespace

std::vector<std::string> non_finite_weights(const Model& model) {
  std::vector<std::string> found;
  collect(model.graph, found);
  return found;
}

}  // namespace quantsearch
