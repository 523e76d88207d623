#include "quantize/kernel_forecast.h"

#include <fmt/core.h>

#include <algorithm>

namespace quantsearch {

namespace {

bool is_wide(DataType type) { return bits_of(type) > 8; }

/// Operators that only move values and whose Q/DQ are dropped at 16 bits too.
bool drops_pairs_at_16_bits(const Node& node) { return !node.is("MaxPool") && !node.is("Resize"); }

/// Times the pair of `tensor` is read: reads by nodes, and as a graph output.
int reads_of_pair(const Graph& graph, const GraphIndex& index, const std::string& tensor) {
  int reads = index.is_graph_output(tensor) ? 1 : 0;
  for (const int reader : index.consumers(tensor)) {
    const auto& inputs = graph.nodes[static_cast<std::size_t>(reader)].inputs;
    reads += std::max(1, static_cast<int>(std::ranges::count(inputs, tensor)));
  }
  return reads;
}

/// ONNX Runtime on x86-64 turns an int8 tensor into uint8 only when its pair is read once; beside
/// an int8 tensor that stays, its Conv, Gemm, MatMul, Add and Concat run in float.
std::string why_int8_stays(const Graph& graph, const GraphIndex& index, const Plan& plan,
                           const Node& node) {
  const auto stays = [&](const std::string& tensor) {
    return plan.pairs.contains(tensor) && reads_of_pair(graph, index, tensor) > 1;
  };
  for (const auto& tensors : {node.inputs, node.outputs}) {
    const auto found = std::ranges::find_if(tensors, stays);
    if (found != tensors.end()) {
      return fmt::format(
          "its int8 tensor '{}' is read {} times, which ONNX Runtime runs in float; uint8 "
          "activations "
          "avoid it",
          *found, reads_of_pair(graph, index, *found));
    }
  }
  return "";
}

std::string why_clamp_stays(const GraphIndex& index, const Node& node,
                            const QuantizeOptions& options) {
  const auto bounds = clamp_bounds(node, index);
  if (options.activation_symmetric) {
    return "symmetric activations cannot hold its bound at the lowest integer, so it runs in float "
           "between two "
           "conversions";
  }
  if (bounds && bounds->low != 0)
    return "its lower bound is not 0, so it runs in float between two conversions";
  return "";
}

}  // namespace

std::string why_not_integer(const Graph& graph, const GraphIndex& index, const Plan& plan, int node,
                            const QuantizeOptions& options) {
  const Node& at = graph.nodes[static_cast<std::size_t>(node)];
  const OperatorRule& rule = *plan.nodes[static_cast<std::size_t>(node)].rule;
  if (!rule.drawback.empty()) return std::string(rule.drawback);
  if (rule.kind == OperatorKind::layout) {
    if (!is_wide(options.activation_type) || drops_pairs_at_16_bits(at)) return "";
    return fmt::format("ONNX Runtime's CPU provider has no {} for {}", at.op_type,
                       to_string(options.activation_type));
  }
  if (is_wide(options.activation_type)) {
    return fmt::format("ONNX Runtime's CPU provider computes {} activations in float",
                       to_string(options.activation_type));
  }
  if (rule.kind == OperatorKind::clamp) return why_clamp_stays(index, at, options);
  if (has_weight(rule.kind) && is_wide(options.weight_type) &&
      index.initializer(at.inputs[1]) != nullptr) {
    return fmt::format("ONNX Runtime's CPU provider computes {} weights in float",
                       to_string(options.weight_type));
  }
  return options.activation_type == DataType::int8 ? why_int8_stays(graph, index, plan, at) : "";
}

}  // namespace quantsearch
