#include "quantize/placement/quantized_nodes.h"

#include <algorithm>
#include <string>

namespace quantsearch {

namespace {

const Node* producer_of(const Graph& graph, const GraphIndex& index, const std::string& tensor) {
  const auto producer = index.producer(tensor);
  return producer ? &graph.nodes[static_cast<std::size_t>(*producer)] : nullptr;
}

/// A stored integer, or a float constant with a QuantizeLinear behind it as quantization-aware
/// training exports it.
bool holds_constant(const Graph& graph, const GraphIndex& index, const std::string& integers) {
  if (index.initializer(integers) != nullptr) return true;
  const Node* quantizer = producer_of(graph, index, integers);
  return quantizer != nullptr && quantizer->op_type == "QuantizeLinear" &&
         index.initializer(quantizer->inputs[0]) != nullptr;
}

bool is_dequantized_activation(const Graph& graph, const GraphIndex& index,
                               const std::string& tensor) {
  const Node* dequantizer = producer_of(graph, index, tensor);
  return dequantizer != nullptr && dequantizer->op_type == "DequantizeLinear" &&
         !holds_constant(graph, index, dequantizer->inputs[0]);
}

bool is_quantized_behind(const Graph& graph, const GraphIndex& index, const std::string& tensor) {
  return std::ranges::any_of(index.consumers(tensor), [&](int reader) {
    return graph.nodes[static_cast<std::size_t>(reader)].op_type == "QuantizeLinear";
  });
}

}  // namespace

bool is_quantized_already(const Graph& graph, const GraphIndex& index, const Node& node,
                          const OperatorRule& rule) {
  if (has_weight(rule.kind)) {
    const Node* weight = producer_of(graph, index, node.inputs[1]);
    return weight != nullptr && weight->op_type == "DequantizeLinear" &&
           is_dequantized_activation(graph, index, node.inputs[0]);
  }
  bool reads_activation = false;
  for (const std::size_t input : data_inputs(node, rule, index)) {
    if (index.initializer(node.inputs[input]) != nullptr) continue;
    if (!is_dequantized_activation(graph, index, node.inputs[input])) return false;
    reads_activation = true;
  }
  return reads_activation && is_quantized_behind(graph, index, node.outputs[0]);
}

}  // namespace quantsearch
