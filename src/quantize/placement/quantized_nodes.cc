#include "quantize/placement/quantized_nodes.h"

#include <algorithm>
#include <string>

namespace quantsearch {

namespace {

/// True for a stored integer tensor and for the QuantizeLinear of a float constant, as
/// quantization-aware training exports it.
bool holds_constant(const GraphView& view, const std::string& integers) {
  if (view.index.initializer(integers) != nullptr) return true;
  const Node* quantizer = view.producer(integers);
  return quantizer != nullptr && quantizer->op_type == "QuantizeLinear" &&
         view.index.initializer(quantizer->inputs[0]) != nullptr;
}

bool is_dequantized_activation(const GraphView& view, const std::string& tensor) {
  const Node* dequantizer = view.producer(tensor);
  return dequantizer != nullptr && dequantizer->op_type == "DequantizeLinear" &&
         !holds_constant(view, dequantizer->inputs[0]);
}

bool is_read_by_quantizer(const GraphView& view, const std::string& tensor) {
  return std::ranges::any_of(view.index.consumers(tensor), [&](int reader) {
    return view.node(reader).op_type == "QuantizeLinear";
  });
}

}  // namespace

bool is_quantized_already(const GraphView& view, const Node& node, const OperatorRule& rule) {
  if (has_weight(rule.kind)) {
    const Node* weight = view.producer(node.inputs[1]);
    return weight != nullptr && weight->op_type == "DequantizeLinear" &&
           is_dequantized_activation(view, node.inputs[0]);
  }
  bool reads_activation = false;
  for (const std::size_t input : data_inputs(node, rule, view.index)) {
    if (view.index.initializer(node.inputs[input]) != nullptr) continue;
    if (!is_dequantized_activation(view, node.inputs[input])) return false;
    reads_activation = true;
  }
  return reads_activation && is_read_by_quantizer(view, node.outputs[0]);
}

}  // namespace quantsearch
