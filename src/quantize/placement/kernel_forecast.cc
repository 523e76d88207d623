#include "quantize/placement/kernel_forecast.h"

#include <fmt/core.h>

#include <algorithm>

#include "quantize/placement/hard_activations.h"
#include "quantize/placement/tensor_overrides.h"

namespace quantsearch {

namespace {

bool is_wide(DataType type) { return bits_of(type) > 8; }

/// True for data movement from which ONNX Runtime removes Q/DQ pairs at 16 bits, too.
bool drops_pairs_at_16_bits(const Node& node) { return !node.is("MaxPool") && !node.is("Resize"); }

/// How often the dequantized value of the pair of `tensor` with this type is read, by nodes and as
/// a graph output. After a float producer only quantized nodes read it.
int reads_of_pair(const PlanView& view, const std::string& tensor, DataType type) {
  const auto pair = view.plan.pairs.find(tensor);
  if (pair == view.plan.pairs.end()) return 0;
  const bool by_all = pair->second.for_all_readers && pair->second.types.front() == type;
  int reads = by_all && view.index.is_graph_output(tensor) ? 1 : 0;
  for (const int reader : view.index.consumers(tensor)) {
    const NodePlan& planned = view.planned(reader);
    const bool reads_it =
        planned.quantized ? pair->second.type_for(planned.activation) == type : by_all;
    if (!reads_it) continue;
    reads += std::max(1, static_cast<int>(std::ranges::count(view.node(reader).inputs, tensor)));
  }
  return reads;
}

/// The tensor whose pair quantizes the result of `node`: its output, or the output of the clamp
/// that is folded into the pair.
std::string written_tensor(const PlanView& view, int node) {
  std::string tensor = view.node(node).outputs[0];
  const auto pair = view.plan.pairs.find(tensor);
  if (pair != view.plan.pairs.end() && pair->second.before_clamp &&
      !view.options.activation_symmetric) {
    tensor = view.node(*pair->second.before_clamp).outputs[0];
  }
  return tensor;
}

/// ONNX Runtime fuses a MatMul and its bias into a Gemm when the rank is 2 or every size is known.
bool becomes_gemm(const GraphIndex& index, const std::string& input) {
  const ValueInfo* value = index.value(input);
  if (value == nullptr || !value->dimensions) return false;
  const auto is_fixed = [](const Dimension& dimension) { return dimension.size.has_value(); };
  return value->dimensions->size() == 2 || std::ranges::all_of(*value->dimensions, is_fixed);
}

/// An integer kernel writes the type that it reads, to one QuantizeLinear. A MatMul with a bias may
/// write floats unless it becomes a Gemm.
std::string why_output_types(const PlanView& view, int node) {
  const NodePlan& planned = view.planned(node);
  const Node& at = view.node(node);
  if (planned.bias_add && !becomes_gemm(view.index, at.inputs[0])) return "";
  const int writer = planned.bias_add ? planned.bias_add->node : node;
  const std::string tensor = written_tensor(view, writer);
  const auto pair = view.plan.pairs.find(tensor);
  if (pair == view.plan.pairs.end()) return "";
  const std::vector<DataType>& types = pair->second.types;
  if (types == std::vector<DataType>{planned.activation}) return "";
  if (types.size() == 1) {
    return fmt::format("it reads {} and its output '{}' is {}, which ONNX Runtime runs in float",
                       to_string(planned.activation), tensor, to_string(types.front()));
  }
  return fmt::format("its output '{}' is read as {} and {}, which ONNX Runtime runs in float",
                     tensor, to_string(types[0]), to_string(types[1]));
}

/// ONNX Runtime on x86-64 turns an int8 tensor into uint8 only when its pair is read once. A Conv,
/// Gemm, MatMul, Add or Concat with an int8 tensor that stays runs in float.
std::string why_int8_stays(const PlanView& view, int node) {
  std::vector<std::string> tensors = view.node(node).inputs;
  // A MatMul with a bias can write floats (MatMulIntegerToFloat), so only its inputs matter.
  if (!view.planned(node).bias_add) {
    tensors.push_back(written_tensor(view, node));
  }
  for (const std::string& tensor : tensors) {
    const int reads = reads_of_pair(view, tensor, DataType::int8);
    if (reads < 2) continue;
    return fmt::format(
        "its int8 tensor '{}' is read {} times, which ONNX Runtime runs in float; uint8 "
        "activations avoid it",
        tensor, reads);
  }
  return "";
}

/// Integer kernels, data movement included, need one type of at most 8 bits for all inputs and
/// outputs. Data movement also needs equal parameters.
std::string why_overrides_stay(const PlanView& view, int node) {
  if (view.options.overrides.empty()) return "";
  const NodePlan& planned = view.planned(node);
  const Node& at = view.node(node);
  std::vector<std::string> tensors;
  for (const std::size_t input : data_inputs(at, *planned.rule, view.index))
    tensors.push_back(at.inputs[input]);
  if (!planned.bias_add) tensors.push_back(written_tensor(view, node));
  for (const std::string& tensor : tensors) {
    const auto found = activation_override(view, view.options, tensor);
    if (!found || !view.plan.pairs.contains(tensor)) continue;
    const DataType type = view.plan.pairs.find(tensor)->second.types.front();
    if (type != planned.activation) {
      return fmt::format("its tensor '{}' is {} as requested, which ONNX Runtime runs in float",
                         tensor, to_string(type));
    }
    const bool moves = planned.rule->kind == OperatorKind::layout;
    if (moves && tensor == at.outputs[0] && find_override(view.options, tensor) != nullptr) {
      return fmt::format(
          "its output '{}' has parameters of its own as requested, so it runs in float", tensor);
    }
  }
  return "";
}

std::string why_clamp_stays(const PlanView& view, int node) {
  if (view.options.npu.enabled) return "it works on float values before they are quantized";
  const auto bounds = clamp_bounds(view.node(node), view.index);
  if (view.options.activation_symmetric) {
    return "symmetric activations cannot hold its bound at the lowest integer, so it runs in float "
           "between two "
           "conversions";
  }
  if (bounds && bounds->low != 0)
    return "its lower bound is not 0, so it runs in float between two conversions";
  return "";
}

}  // namespace

std::string why_not_integer(const PlanView& view, int node) {
  const Node& at = view.node(node);
  const NodePlan& planned = view.planned(node);
  if (planned.reads_table) return "";
  const OperatorRule& rule = *planned.rule;
  const bool has_gate = integer_gate(view, node).has_value();
  if (!rule.drawback.empty() && !has_gate) return std::string(rule.drawback);
  if (planned.follows) return "it works on float values before they are quantized";
  if (std::string reason = why_overrides_stay(view, node); !reason.empty()) {
    return reason;
  }
  if (rule.kind == OperatorKind::layout) {
    if (!is_wide(planned.activation) || drops_pairs_at_16_bits(at)) return "";
    return fmt::format("ONNX Runtime's CPU provider has no {} for {}", at.op_type,
                       to_string(planned.activation));
  }
  if (is_wide(planned.activation)) {
    return fmt::format("ONNX Runtime's CPU provider computes {} activations in float",
                       to_string(planned.activation));
  }
  if (rule.kind == OperatorKind::clamp) return why_clamp_stays(view, node);
  if (has_weight(rule.kind) && is_wide(planned.weight) &&
      view.index.initializer(at.inputs[1]) != nullptr) {
    return fmt::format("ONNX Runtime's CPU provider computes {} weights in float",
                       to_string(planned.weight));
  }
  if (std::string reason = why_output_types(view, node); !reason.empty()) return reason;
  return planned.activation == DataType::int8 ? why_int8_stays(view, node) : "";
}

}  // namespace quantsearch
