#include "quantize/placement/range_rules.h"

#include <algorithm>
#include <set>

#include "quantize/placement/eligibility.h"
#include "quantize/placement/stored_constants.h"
#include "quantsearch/internal/model/bodies.h"

namespace quantsearch {

namespace {

/// The output of the Relu or Clip that is the only reader of `tensor`. The quantizer clips values
/// outside the range of this output just as the clamp would, so the range is right whether the
/// clamp is folded, kept or excluded.
std::optional<std::string> clamped_into(const GraphView& view, std::string_view tensor) {
  const auto reader = only_reader(view, tensor);
  if (!reader) return std::nullopt;
  const Node& node = view.node(*reader);
  // A range always contains zero. Where the bounds do not, clipping to the range differs from the
  // clamp.
  const auto bounds = clamp_bounds(node, view.index);
  if (!bounds || bounds->low > 0 || bounds->high < 0 || node.inputs[0] != tensor)
    return std::nullopt;
  return node.outputs[0];
}

bool ends_in_unit_interval(const Node& node) {
  return node.is("Softmax") || node.is("Sigmoid") || node.is("HardSigmoid");
}

/// True for the output of a MatMul that is only read by the Add of its bias. It never has a pair.
bool only_gets_bias(const GraphView& view, std::string_view tensor) {
  const auto producer = view.index.producer(tensor);
  return producer && bias_add_of(view, *producer).has_value();
}

/// True when the channels of the node's input must be observed. The largest value of each input
/// channel of a layer bounds its pairs of weights, so the input itself is observed and not only the
/// tensor from which it takes its range.
bool reads_channels(const Node& node, const OperatorRule& rule, const GraphIndex& index) {
  return has_weight(rule.kind) && index.initializer(node.input(1)) != nullptr &&
         index.initializer(node.inputs[0]) == nullptr && is_float_tensor(index, node.inputs[0]);
}

}  // namespace

// The output's values are values of the input, so the input's range contains them, and the
// parameters must be equal anyway for the operator to run on integers.
std::optional<std::string> moved_from(const GraphView& view, std::string_view tensor) {
  const Node* node = view.producer(tensor);
  if (node == nullptr) return std::nullopt;
  const OperatorRule* rule = find_rule(*node);
  if (rule == nullptr) return std::nullopt;
  const bool moves = (rule->kind == OperatorKind::layout && node->outputs[0] == tensor) ||
                     (node->is("Split") && rule->kind == OperatorKind::layout) ||
                     (rule->kind == OperatorKind::padding && pads_within_range(*node, view.index));
  if (!moves || view.index.initializer(node->inputs[0]) != nullptr) return std::nullopt;
  // Cubic interpolation can leave the input's range; nearest copies and linear stays within it.
  if (node->is("Resize") && node->string_attribute("mode", "nearest") == "cubic")
    return std::nullopt;
  return node->inputs[0];
}

RangeSource range_source(const GraphView& view, std::string tensor) {
  // The search goes backwards through layout operators, then forwards through clamps. A clamp is
  // never the only reader of a tensor that a layout operator reads, so the two never alternate.
  while (auto source = moved_from(view, tensor)) tensor = std::move(*source);
  while (auto source = clamped_into(view, tensor)) tensor = std::move(*source);
  const Node* node = view.producer(tensor);
  RangeSource source{.tensor = std::move(tensor), .fixed = std::nullopt};
  if (node != nullptr && ends_in_unit_interval(*node)) source.fixed = Range{.low = 0, .high = 1};
  return source;
}

bool is_part_of_union(const GraphView& view, std::string_view tensor) {
  const Node* node = view.producer(tensor);
  if (node == nullptr || !selects_values(*node)) return false;
  while (true) {
    node = view.producer(node->inputs[0]);
    if (node == nullptr) return false;
    if (unites_values(*node, view.index)) return true;
    const OperatorRule* rule = find_rule(*node);
    if (rule == nullptr ||
        (rule->kind != OperatorKind::layout && rule->kind != OperatorKind::clamp))
      return false;
  }
}

std::optional<Bounds> bounds_of(const GraphView& view, std::string_view tensor) {
  const Node* node = view.producer(tensor);
  return node == nullptr ? std::nullopt : clamp_bounds(*node, view.index);
}

std::optional<std::string> observed_source(const Model& model, const std::string& tensor) {
  const StoredConstants stored(model);
  const GraphIndex index(stored.model().graph);
  if (index.producer(tensor) || index.is_graph_input(tensor) ||
      index.initializer(tensor) != nullptr) {
    RangeSource source = range_source({.graph = model.graph, .index = index}, tensor);
    if (source.fixed) return std::nullopt;
    return std::move(source.tensor);
  }
  for (const BodyPlace& place : bodies_of(model.graph)) {
    auto source = observed_source(open_body(model, place).model, tensor);
    if (source != tensor) return source;
  }
  return tensor;
}

std::vector<std::string> tensors_to_observe(const Model& model) {
  const StoredConstants stored(model);
  std::vector<std::string> tensors = observed_in_graph(stored.model());
  for (const BodyPlace& place : bodies_of(model.graph)) {
    const std::vector<std::string> inside =
        tensors_to_observe(infer_shapes(open_body(model, place).model));
    tensors.insert(tensors.end(), inside.begin(), inside.end());
  }
  // An outer tensor that a body reads may be in the lists of both.
  std::ranges::sort(tensors);
  // Not std::ranges::unique, which clang 14 does not compile.
  tensors.erase(std::unique(tensors.begin(), tensors.end()), tensors.end());
  return tensors;
}

std::vector<std::string> observed_in_graph(const Model& model) {
  const GraphIndex index(model.graph);
  const GraphView view{.graph = model.graph, .index = index};
  std::set<std::string> observed;
  const auto watch = [&](const std::string& tensor) {
    if (tensor.empty() || index.initializer(tensor) != nullptr || !is_float_tensor(index, tensor))
      return;
    if (only_gets_bias(view, tensor)) return;
    RangeSource source = range_source(view, tensor);
    if (!source.fixed) observed.insert(std::move(source.tensor));
  };
  for (int at = 0; at < view.node_count(); ++at) {
    const Node& node = view.node(at);
    // The distribution of the input of a Log decides which nodes before it stay float.
    if (node.is("Log") && is_float_tensor(index, node.inputs[0])) observed.insert(node.inputs[0]);
    const OperatorRule* rule = find_rule(node);
    // A node that is not quantizable under the default options is not quantizable under any.
    if (rule == nullptr || !why_not_quantizable(model, index, at, {}).empty()) continue;
    for (const std::size_t input : data_inputs(node, *rule, index)) watch(node.inputs[input]);
    if (reads_channels(node, *rule, index)) observed.insert(node.inputs[0]);
    for (const std::string& output : node.outputs) {
      watch(output);
      if (is_float_tensor(index, output) && is_part_of_union(view, output)) observed.insert(output);
    }
  }
  return {observed.begin(), observed.end()};
}

}  // namespace quantsearch
