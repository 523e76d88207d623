#include "quantsearch/quantize/quantized_already.h"

#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string_view>
#include <variant>

#include "quantsearch/base/error.h"

namespace quantsearch {

namespace {

using Names = std::set<std::string, std::less<>>;

/// True for operators of ai.onnx and com.microsoft that compute on integer activations: those
/// listed and those whose names begin with QLinear. MatMulNBits and similar operators are not among
/// them, because their activations are float.
bool computes_on_integers(const Node& node) {
  static const Names kOperators = {
      "ConvInteger",           "DynamicQuantizeLSTM", "DynamicQuantizeLinear",
      "DynamicQuantizeMatMul", "MatMulInteger",       "MatMulInteger16",
      "MatMulIntegerToFloat",  "QAttention",          "QGemm",
      "QOrderedAttention",     "QOrderedGelu",        "QOrderedLayerNormalization",
      "QOrderedMatMul",        "QuantizeWithOrder",   "QEmbedLayerNormalization",
  };
  return node.op_type.starts_with("QLinear") || kOperators.contains(node.op_type);
}

bool holds_integer_weights(const Node& node) {
  static const Names kOperators = {"GatherBlockQuantized", "MatMulBnb4", "MatMulNBits", "QMoE"};
  return kOperators.contains(node.op_type);
}

bool is_known_domain(const Node& node) {
  return node.domain.empty() || node.domain == "com.microsoft";
}

/// Walks a graph and its subgraphs and keeps the names of their constants: initializers and tensors
/// that depend on nothing else.
class Survey {
 public:
  explicit Survey(QuantizedAlready& found) : found_(found) {}

  void graph(const Graph& graph, Names constants) {
    for (const ValueInfo& input : graph.inputs) constants.erase(input.name);
    // Old models also list their weights among the inputs.
    for (const Initializer& initializer : graph.initializers) constants.insert(initializer.name);
    for (const Node& node : graph.nodes) visit(node, constants);
  }

 private:
  void visit(const Node& node, Names& constants) {
    const bool is_constant = std::ranges::all_of(node.inputs, [&](const std::string& input) {
      return input.empty() || constants.contains(input);
    });
    if (is_known_domain(node)) count(node, is_constant);
    bool has_subgraph = false;
    for (const Attribute& attribute : node.attributes) {
      const auto* body = std::get_if<std::shared_ptr<const Graph>>(&attribute.value);
      if (body == nullptr) continue;
      has_subgraph = true;
      graph(**body, constants);
    }
    if (is_constant && !has_subgraph) constants.insert(node.outputs.begin(), node.outputs.end());
  }

  void count(const Node& node, bool is_constant) {
    if (holds_integer_weights(node) || (node.op_type == "DequantizeLinear" && is_constant)) {
      ++found_.of_weights[node.op_type];
    } else if (!is_constant && (computes_on_integers(node) || node.op_type == "QuantizeLinear")) {
      ++found_.of_activations[node.op_type];
    }
  }

  QuantizedAlready& found_;
};

}  // namespace

QuantizedAlready quantized_already(const Model& model) {
  QuantizedAlready found;
  Survey(found).graph(model.graph, {});
  return found;
}

std::string to_string(const std::map<std::string, int>& operators) {
  std::string text;
  for (const auto& [name, count] : operators)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, name);
  return text;
}

void require_float_activations(const Model& model) {
  const QuantizedAlready found = quantized_already(model);
  if (found.of_activations.empty()) return;
  throw InvalidInput(fmt::format(
      "quantize: the model is quantized already: its activations go through {}; give the float "
      "model it was made from, or quantize what is left float with --requantize (key 'requantize')",
      to_string(found.of_activations)));
}

}  // namespace quantsearch
