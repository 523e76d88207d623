#include "transform/known_types.h"

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "quantsearch/base/error.h"
#include "quantsearch/internal/model/checks.h"
#include "quantsearch/runtime.h"

namespace quantsearch {

namespace {

std::vector<std::string> tensors_of_unknown_type(const Graph& graph) {
  const GraphIndex index(graph);
  std::vector<std::string> unknown;
  for (const Node& node : graph.nodes) {
    for (const std::string& output : node.outputs) {
      if (output.empty()) continue;
      const ValueInfo* value = index.value(output);
      // A value that is not a tensor (a sequence) has its type in `extra`.
      if (value == nullptr || (value->type == DataType::undefined && value->extra.empty()))
        unknown.push_back(output);
    }
  }
  return unknown;
}

void add_values(Graph& graph, std::vector<ValueInfo> found) {
  std::map<std::string, ValueInfo*, std::less<>> known;
  for (ValueInfo& value : graph.values) known[value.name] = &value;
  std::vector<ValueInfo> fresh;
  for (ValueInfo& value : found) {
    if (value.type == DataType::undefined) continue;
    const auto at = known.find(value.name);
    if (at == known.end()) {
      fresh.push_back(std::move(value));
    } else if (at->second->type == DataType::undefined) {
      *at->second = std::move(value);
    }
  }
  for (ValueInfo& value : fresh) graph.values.push_back(std::move(value));
}

/// The model with the values that were found; nullopt when libonnx objects to them, because ONNX
/// Runtime runs some models that contradict the standard once all their shapes are known.
std::optional<Model> extended(const Model& model, const std::vector<ValueInfo>& found) {
  Model candidate = model;
  add_values(candidate.graph, found);
  try {
    candidate = infer_shapes(std::move(candidate));
  } catch (const Error&) {
    return std::nullopt;
  }
  const bool is_refused = !objection_to(candidate).empty() && objection_to(model).empty();
  return is_refused ? std::nullopt : std::optional(std::move(candidate));
}

}  // namespace

Model with_known_types(Model model) {
  model = infer_shapes(std::move(model));
  const std::vector<std::string> unknown = tensors_of_unknown_type(model.graph);
  if (unknown.empty()) return model;
  std::vector<ValueInfo> found;
  try {
    found = runtime_types(model, unknown);
  } catch (const Error&) {
    return model;
  }
  if (auto known = extended(model, found)) return *std::move(known);
  for (ValueInfo& value : found) value.dimensions.reset();
  if (auto known = extended(model, found)) return *std::move(known);
  return model;
}

}  // namespace quantsearch
