#include <fmt/core.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <map>
#include <utility>

#include "model/compatible_changes.h"
#include "model/opaque.h"
#include "model/opset_adapters.h"
#include "model/subgraphs.h"
#include "quantsearch/model.h"

namespace quantsearch {

namespace {

using Values = std::map<std::string, ValueInfo, std::less<>>;
using Constants = std::map<std::string, Tensor, std::less<>>;

std::string node_text(const Node& node) {
  if (!node.name.empty()) return fmt::format("{} '{}'", node.op_type, node.name);
  return fmt::format("{} that makes '{}'", node.op_type,
                     node.outputs.empty() ? "" : node.outputs[0]);
}

void note_value(const ValueInfo& value, Values& values) {
  const auto [known, is_new] = values.emplace(value.name, value);
  if (!is_new && value.dimensions) known->second = value;
}

/// Adds what a graph states about its tensors. A known shape is never replaced by an unknown one.
void note_values(const Graph& graph, Values& values, Constants& constants) {
  for (const auto* list : {&graph.inputs, &graph.values, &graph.outputs}) {
    for (const ValueInfo& value : *list) note_value(value, values);
  }
  for (const Initializer& initializer : graph.initializers) {
    constants.insert_or_assign(initializer.name, *initializer.tensor);
    ValueInfo value{.name = initializer.name,
                    .type = initializer.tensor->type(),
                    .dimensions = {},
                    .extra = ""};
    value.dimensions.emplace();
    for (const std::int64_t size : initializer.tensor->shape())
      value.dimensions->push_back({.size = size, .symbol = ""});
    note_value(value, values);
  }
  for (const Node& node : graph.nodes) {
    if (!node.is("Constant") || node.outputs.empty()) continue;
    const Attribute* const value = node.find_attribute("value");
    const auto* const tensor = value == nullptr ? nullptr : std::get_if<Tensor>(&value->value);
    if (tensor != nullptr) constants.insert_or_assign(node.outputs[0], *tensor);
  }
}

/// Removes outer tensors that a subgraph hides because it defines a tensor of the same name.
void forget_hidden(const Graph& subgraph, Values& values, Constants& constants) {
  const auto forget = [&](const std::string& name) {
    values.erase(name);
    constants.erase(name);
  };
  for (const ValueInfo& input : subgraph.inputs) forget(input.name);
  for (const Initializer& initializer : subgraph.initializers) forget(initializer.name);
  for (const Node& node : subgraph.nodes) std::ranges::for_each(node.outputs, forget);
}

/// Infers the shapes of a subgraph alone. Outer tensors that it reads become inputs of known type.
Graph with_inferred_values(const Graph& subgraph, const Model& model, const Values& outer) {
  Model alone{.ir_version = model.ir_version,
              .opsets = model.opsets,
              .graph = subgraph,
              .metadata = {},
              .extra = ""};
  for (const std::string_view name : model_io::outer_reads(subgraph)) {
    const auto known = outer.find(name);
    if (known == outer.end() || alone.graph.find_value(name) != nullptr) continue;
    alone.graph.inputs.push_back(known->second);
  }
  Graph inferred = subgraph;
  inferred.values = infer_shapes(std::move(alone)).graph.values;
  return inferred;
}

/// Converts one graph and, within its scope, the graphs in its nodes.
class GraphConverter final : public model_io::AdapterContext {
 public:
  GraphConverter(const Model& model, NameAllocator& names, std::int64_t version)
      : model_(model), names_(names), version_(version) {}

  [[nodiscard]] Graph convert(Graph graph) {
    note_values(graph, values_, constants_);
    std::vector<Node> nodes;
    for (Node& node : graph.nodes) {
      convert_subgraphs(node);
      for (Node& converted : convert_node(std::move(node), model_.opset()))
        nodes.push_back(std::move(converted));
    }
    graph.nodes = std::move(nodes);
    std::ranges::move(initializers_, std::back_inserter(graph.initializers));
    return graph;
  }

  [[nodiscard]] const ValueInfo* value(std::string_view tensor) const override {
    const auto found = values_.find(tensor);
    return found == values_.end() ? nullptr : &found->second;
  }
  [[nodiscard]] const Tensor* constant(std::string_view tensor) const override {
    const auto found = constants_.find(tensor);
    return found == constants_.end() ? nullptr : &found->second;
  }
  [[nodiscard]] std::int64_t target_opset() const override { return version_; }
  [[nodiscard]] std::string unique(std::string_view wanted) override {
    return names_.unique(wanted);
  }
  [[nodiscard]] std::string add_initializer(std::string_view wanted, Tensor tensor) override {
    Initializer initializer{.name = unique(wanted),
                            .tensor = std::make_shared<const Tensor>(std::move(tensor))};
    constants_.insert_or_assign(initializer.name, *initializer.tensor);
    initializers_.push_back(initializer);
    return initializer.name;
  }

 private:
  void convert_subgraphs(Node& node) {
    for (Attribute& attribute : node.attributes) {
      auto* const subgraph = std::get_if<std::shared_ptr<const Graph>>(&attribute.value);
      if (subgraph == nullptr) continue;
      GraphConverter inner(model_, names_, version_);
      inner.values_ = values_;
      inner.constants_ = constants_;
      forget_hidden(**subgraph, inner.values_, inner.constants_);
      note_values(with_inferred_values(**subgraph, model_, values_), inner.values_,
                  inner.constants_);
      *subgraph = std::make_shared<const Graph>(inner.convert(**subgraph));
    }
  }

  /// Converts version by version. The nodes that an adapter returns are converted further.
  [[nodiscard]] std::vector<Node> convert_node(Node node, std::int64_t from) {
    // An operator that the standard does not have is one of the runtime's own, of any version.
    const bool is_foreign = !node.domain.empty() || !model_io::is_operator(node.op_type, from);
    if (is_foreign) return {std::move(node)};
    const std::optional<std::int64_t> next = model_io::next_change(node.op_type, from, version_);
    if (!next) return {std::move(node)};
    std::vector<Node> result;
    for (Node& step : adapt(std::move(node), *next)) {
      for (Node& converted : convert_node(std::move(step), *next))
        result.push_back(std::move(converted));
    }
    return result;
  }

  [[nodiscard]] std::vector<Node> adapt(Node node, std::int64_t version) {
    const std::string text = node_text(node);
    const model_io::OpsetAdapter* const adapter =
        model_io::find_opset_adapter(node.op_type, version);
    try {
      if (adapter != nullptr) return (*adapter)(std::move(node), *this);
    } catch (const Unsupported& error) {
      throw Unsupported(fmt::format("convert: {} cannot go from opset {} to {}: {}", text,
                                    version - 1, version, error.what()));
    } catch (const InvalidInput& error) {
      throw InvalidInput(fmt::format("convert: {}: {}", text, error.what()));
    }
    if (!model_io::is_compatible_change(node.op_type, version)) {
      throw Unsupported(
          fmt::format("convert: {} cannot go from opset {} to {}: no conversion is known", text,
                      version - 1, version));
    }
    return {std::move(node)};
  }

  const Model& model_;
  NameAllocator& names_;
  std::int64_t version_;
  Values values_;
  Constants constants_;
  std::vector<Initializer> initializers_;
};

/// Functions stay serialized, so each of their operators must have the same meaning at the new
/// version.
void require_convertible_rest(const Model& model, std::int64_t version) {
  if (model.extra.empty()) return;
  onnx::ModelProto rest;
  model_io::parse_rest(model.extra, rest);
  if (rest.training_info_size() > 0)
    throw Unsupported("convert: a model with training information is not converted");
  for (const onnx::FunctionProto& function : rest.functions()) {
    std::int64_t opset = model.opset();
    for (const onnx::OperatorSetIdProto& import : function.opset_import()) {
      if (import.domain().empty() || import.domain() == "ai.onnx") opset = import.version();
    }
    for (const onnx::NodeProto& node : function.node()) {
      const bool is_standard = node.domain().empty() || node.domain() == "ai.onnx";
      if (!is_standard || !model_io::next_change(node.op_type(), opset, version)) continue;
      throw Unsupported(fmt::format(
          "convert: function '{}' uses {} of opset {}, which changes until opset {}; inline "
          "the function first",
          function.name(), node.op_type(), opset, version));
    }
  }
}

}  // namespace

Model convert_opset(Model model, std::int64_t version) {
  const std::int64_t current = model.opset();
  if (version == current) return model;
  if (version < current) {
    throw InvalidInput(
        fmt::format("convert: the model uses opset {} and cannot go back to {}", current, version));
  }
  if (version > newest_opset()) {
    throw InvalidInput(
        fmt::format("convert: got opset {}, expected at most {}", version, newest_opset()));
  }
  if (current != 0) {
    require_convertible_rest(model, version);
    NameAllocator names(model.graph);
    GraphConverter converter(model, names, version);
    Graph inferred = model.graph;
    inferred.values = infer_shapes(model).graph.values;
    std::vector<ValueInfo> values = std::move(model.graph.values);
    Graph converted = converter.convert(std::move(inferred));
    converted.values = std::move(values);
    model.graph = std::move(converted);
  }
  model.opsets[""] = version;
  model.ir_version = std::max(model.ir_version, ir_version_for_opset(version));
  return model;
}

}  // namespace quantsearch
