#include <algorithm>
#include <map>
#include <optional>

#include "quantsearch/runtime.h"

namespace quantsearch {

namespace {

/// The model with the shapes of `inputs` in place of its declared ones.
Model with_input_shapes(Model model, const Batch& inputs) {
  for (ValueInfo& input : model.graph.inputs) {
    const auto given = inputs.find(input.name);
    if (given == inputs.end()) continue;
    input.dimensions.emplace();
    for (const std::int64_t size : given->second.shape()) {
      input.dimensions->push_back({.size = size, .symbol = {}});
    }
  }
  // Declared shapes would keep their symbols, so all shapes are inferred from the inputs again.
  model.graph.values.clear();
  for (ValueInfo& output : model.graph.outputs) output.dimensions = std::nullopt;
  return model;
}

std::optional<std::int64_t> bytes_of(const ValueInfo& value) {
  if (!value.dimensions || value.type == DataType::undefined) return std::nullopt;
  Shape shape;
  for (const Dimension& dimension : *value.dimensions) {
    if (!dimension.size) return std::nullopt;
    shape.push_back(*dimension.size);
  }
  return byte_count(value.type, shape);
}

}  // namespace

std::vector<std::int64_t> tensor_sizes(const Model& model, const Batch& inputs,
                                       const std::vector<std::string>& names) {
  const Graph graph = infer_shapes(with_input_shapes(model, inputs)).graph;
  std::map<std::string, std::int64_t> known;
  std::int64_t largest = 1;
  for (const auto* list : {&graph.inputs, &graph.outputs, &graph.values}) {
    for (const ValueInfo& value : *list) {
      const auto bytes = bytes_of(value);
      if (!bytes) continue;
      known[value.name] = *bytes;
      largest = std::max(largest, *bytes);
    }
  }
  std::vector<std::int64_t> sizes;
  for (const std::string& name : names) {
    const auto found = known.find(name);
    sizes.push_back(found == known.end() ? largest : found->second);
  }
  return sizes;
}

}  // namespace quantsearch
