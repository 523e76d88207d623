#include "runtime/signature.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <utility>

#include "quantsearch/base/error.h"
#include "quantsearch/internal/model/compared_outputs.h"

namespace quantsearch {

namespace {

bool fits(const Tensor& tensor, const ValueInfo& value) {
  if (tensor.type() != value.type) return false;
  if (!value.dimensions) return true;
  if (tensor.shape().size() != value.dimensions->size()) return false;
  for (std::size_t axis = 0; axis < value.dimensions->size(); ++axis) {
    const Dimension& wanted = (*value.dimensions)[axis];
    if (wanted.size && *wanted.size != tensor.shape()[axis]) return false;
  }
  return true;
}

/// The only conversion that loses nothing.
bool is_widened(DataType from, DataType to) {
  return to == DataType::float32 && (from == DataType::float16 || from == DataType::bfloat16);
}

std::string describe(const Batch& inputs) {
  std::vector<std::string> parts;
  for (const auto& [name, tensor] : inputs) {
    parts.push_back(
        fmt::format("'{}' {} {}", name, to_string(tensor.type()), to_string(tensor.shape())));
  }
  return parts.empty() ? "nothing" : fmt::format("{}", fmt::join(parts, ", "));
}

std::set<std::string, std::less<>> made_by_nodes(const Graph& graph) {
  std::set<std::string, std::less<>> names;
  for (const Node& node : graph.nodes) names.insert(node.outputs.begin(), node.outputs.end());
  names.erase("");
  return names;
}

bool holds(const std::vector<ValueInfo>& values, std::string_view name) {
  return std::ranges::find(values, name, &ValueInfo::name) != values.end();
}

}  // namespace

Signature::Signature(const Model& model, const std::vector<std::string>& taps) {
  const Graph& graph = model.graph;
  std::map<std::string_view, std::shared_ptr<const Tensor>> initializers;
  for (const Initializer& initializer : graph.initializers)
    initializers[initializer.name] = initializer.tensor;
  for (const ValueInfo& value : graph.inputs) {
    if (value.type == DataType::undefined) {
      throw Unsupported(fmt::format(
          "open session: input '{}' is not a tensor; only tensors can be fed", value.name));
    }
    inputs_.push_back({.value = value, .is_optional = initializers.contains(value.name)});
  }
  for (std::string& name : constant_tensors(graph)) constants_.insert(std::move(name));
  const auto made = made_by_nodes(graph);
  const auto add_outer = [&](const std::string& name) {
    const auto initializer = initializers.find(name);
    if (holds(graph.inputs, name)) outer_inputs_.push_back(name);
    if (initializer != initializers.end()) outer_initializers_[name] = initializer->second;
    return initializer != initializers.end() || holds(graph.inputs, name);
  };
  for (const ValueInfo& output : graph.outputs) {
    if (!made.contains(output.name)) add_outer(output.name);
  }
  for (const std::string& tap : std::set<std::string>(taps.begin(), taps.end())) {
    if (made.contains(tap)) {
      if (!holds(graph.outputs, tap)) inner_taps_.push_back(tap);
    } else if (!is_outer(tap) && !add_outer(tap)) {
      throw InvalidInput(fmt::format("open session: the graph holds no tensor '{}' to tap", tap));
    }
  }
}

bool Signature::is_outer(std::string_view name) const {
  return outer_initializers_.contains(name) ||
         std::ranges::find(outer_inputs_, name) != outer_inputs_.end();
}

std::string Signature::describe_inputs() const {
  std::vector<std::string> parts;
  for (const Input& input : inputs_) {
    ValueInfo unnamed = input.value;
    unnamed.name.clear();
    parts.push_back(fmt::format("'{}' {}{}", input.value.name, to_string(unnamed),
                                input.is_optional ? " (optional)" : ""));
  }
  return parts.empty() ? "nothing" : fmt::format("{}", fmt::join(parts, ", "));
}

Batch Signature::fitted(Batch inputs) const {
  for (const Input& input : inputs_) {
    const auto given = inputs.find(input.value.name);
    if (given != inputs.end() && is_widened(given->second.type(), input.value.type))
      given->second = to_float32(given->second);
  }
  check(inputs);
  return inputs;
}

void Signature::check(const Batch& inputs) const {
  std::size_t known = 0;
  for (const Input& input : inputs_) {
    const auto given = inputs.find(input.value.name);
    if (given == inputs.end()) {
      if (input.is_optional) continue;
      throw InvalidInput(fmt::format("run: input '{}' is missing; got {}, the model takes {}",
                                     input.value.name, describe(inputs), describe_inputs()));
    }
    ++known;
    if (!fits(given->second, input.value)) {
      throw InvalidInput(fmt::format("run: input '{}' does not fit; got {}, the model takes {}",
                                     input.value.name, describe(inputs), describe_inputs()));
    }
  }
  if (known == inputs.size()) return;
  for (const auto& [name, tensor] : inputs) {
    if (std::ranges::find(inputs_, name, [](const Input& input) { return input.value.name; }) ==
        inputs_.end()) {
      throw InvalidInput(fmt::format("run: the model has no input '{}'; got {}, the model takes {}",
                                     name, describe(inputs), describe_inputs()));
    }
  }
}

void Signature::add_outer_values(const Batch& inputs, Batch& outputs) const {
  for (const auto& [name, tensor] : outer_initializers_) outputs.insert_or_assign(name, *tensor);
  for (const std::string& name : outer_inputs_) {
    const auto given = inputs.find(name);
    if (given != inputs.end()) outputs.insert_or_assign(name, given->second);
  }
}

Model with_outputs(Model model, const std::vector<std::string>& taps) {
  std::map<std::string, const ValueInfo*, std::less<>> known;
  if (!taps.empty()) {
    for (const ValueInfo& value : model.graph.values) known[value.name] = &value;
  }
  for (const std::string& tap : taps) {
    const auto value = known.find(tap);
    ValueInfo output = value == known.end() ? ValueInfo{} : *value->second;
    output.name = tap;
    model.graph.outputs.push_back(std::move(output));
  }
  return model;
}

}  // namespace quantsearch
