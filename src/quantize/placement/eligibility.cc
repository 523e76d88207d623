#include "quantize/placement/eligibility.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "quantize/placement/least_steps.h"
#include "quantize/placement/quantized_nodes.h"
#include "quantize/placement/range_rules.h"
#include "quantize/placement/value_bounds.h"

namespace quantsearch {

namespace {

/// A constant of this magnitude is a mask ("minus infinity" of an attention score), not data, and
/// would take the whole range. Exporters of BERT write -10000.
constexpr float kMaskMagnitude = 1e4F;

/// The DequantizeLinear and the parameters of a smaller table cost more than its integers save.
constexpr std::int64_t kLeastTableBytes = 4096;

std::string why_no_rule(const Node& node, const GraphIndex& index) {
  if (node.op_type == "DequantizeLinear" && index.initializer(node.outputs[0]) != nullptr)
    return "it holds a constant that the model stores as integers";
  for (const Attribute& attribute : node.attributes) {
    if (std::holds_alternative<std::shared_ptr<const Graph>>(attribute.value)) {
      return "control flow: the nodes of its bodies are quantized on their own";
    }
  }
  if (!node.domain.empty())
    return fmt::format("operators of domain '{}' are not quantized", node.domain);
  return "has no quantized form";
}

/// The tensors that may carry pairs: the data inputs of the node and its outputs.
std::vector<std::string> activations_of(const Node& node, const OperatorRule& rule,
                                        const GraphIndex& index) {
  std::vector<std::string> tensors;
  for (const std::size_t input : data_inputs(node, rule, index))
    tensors.push_back(node.inputs[input]);
  tensors.insert(tensors.end(), node.outputs.begin(), node.outputs.end());
  return tensors;
}

std::string why_types(const Node& node, const OperatorRule& rule, const GraphIndex& index) {
  std::vector<std::string> tensors;
  for (const std::size_t input : data_inputs(node, rule, index))
    tensors.push_back(node.inputs[input]);
  if (has_weight(rule.kind)) tensors.push_back(node.inputs[1]);
  tensors.push_back(node.outputs[0]);
  for (const std::string& tensor : tensors) {
    if (tensor.empty() || is_float_tensor(index, tensor)) continue;
    const Tensor* constant = index.initializer(tensor);
    const ValueInfo* value = index.value(tensor);
    const DataType type = constant != nullptr ? constant->type()
                          : value != nullptr  ? value->type
                                              : DataType::undefined;
    if (type == DataType::undefined)
      return fmt::format("the type of its tensor '{}' is not known", tensor);
    return fmt::format("its tensor '{}' is {}", tensor, to_string(type));
  }
  return "";
}

std::string why_fact(const std::string& tensor, const TensorFacts& fact) {
  if (fact.is_empty) {
    return fmt::format("its tensor '{}' had no values in the calibration data, so it has no range",
                       tensor);
  }
  if (fact.nan_count + fact.infinite_count > 0) {
    return fmt::format("its tensor '{}' held {} NaN and {} infinite values in the calibration data",
                       tensor, fact.nan_count, fact.infinite_count);
  }
  return fmt::format("its tensor '{}' holds a mask of {:g}, which would take the whole range",
                     tensor, *fact.mask);
}

std::string why_values(const Model& model, const Node& node, const OperatorRule& rule,
                       const GraphIndex& index, const QuantizeOptions& options) {
  if (options.facts.empty()) return "";
  const GraphView view{.graph = model.graph, .index = index};
  for (const std::string& tensor : activations_of(node, rule, index)) {
    if (tensor.empty() || index.initializer(tensor) != nullptr) continue;
    // The facts of a tensor that is only moved are those of the tensor its values come from.
    for (const std::string& seen : {tensor, range_source(view, tensor).tensor}) {
      const auto fact = options.facts.find(seen);
      if (fact == options.facts.end() || !fact->second.has_no_range()) continue;
      if (fact->second.is_empty && has_value_bounds(view, seen, options.facts)) continue;
      return why_fact(tensor, fact->second);
    }
  }
  return "";
}

/// The number of bits of the node's activations or of its constant weight, whichever is smaller.
int bits_used(const std::string& label, bool has_constant_weight, const QuantizeOptions& options) {
  const auto format = options.node_formats.find(label);
  const NodeFormat own = format == options.node_formats.end() ? NodeFormat{} : format->second;
  const int activation = bits_of(own.activation.value_or(options.activation_type));
  if (!has_constant_weight) return activation;
  return std::min(activation, bits_of(own.weight.value_or(options.weight_type)));
}

/// A logarithm needs small values with the same relative precision as large ones.
std::string why_logarithm(const Model& model, const GraphIndex& index, int node,
                          const QuantizeOptions& options) {
  const Node& at = model.graph.nodes[static_cast<std::size_t>(node)];
  const std::string& output = at.outputs[0];
  const auto fact = options.facts.find(output);
  if (fact == options.facts.end() || !fact->second.median_for_log) return "";
  if (options.overrides.contains(output)) return "";
  const bool has_constant_weight =
      has_weight(find_rule(at)->kind) && index.initializer(at.input(1)) != nullptr;
  const int bits = bits_used(node_label(model.graph, node), has_constant_weight, options);
  const double steps = *fact->second.median_for_log * (std::ldexp(1.0, bits) - 1);
  if (steps >= kLeastSteps) return "";
  return fmt::format(
      "a Log is computed from its output '{}', and {} bits would leave half of the values {:.2g} "
      "steps or fewer (at least {:g} are needed)",
      output, bits, steps, kLeastSteps);
}

std::string why_constants(const Node& node, const GraphIndex& index) {
  for (const std::string& input : node.inputs) {
    const Tensor* constant = index.initializer(input);
    if (constant == nullptr || constant->type() != DataType::float32) continue;
    if (const NonFinite bad = count_non_finite(*constant); bad.nan + bad.infinite > 0) {
      return fmt::format("its constant '{}' holds {} NaN and {} infinite values", input, bad.nan,
                         bad.infinite);
    }
  }
  return "";
}

std::string why_weight(const Node& node, const OperatorRule& rule, const GraphIndex& index,
                       const QuantizeOptions& options) {
  const bool constant = index.initializer(node.inputs[1]) != nullptr;
  if (rule.kind == OperatorKind::matmul) {
    if (!constant && options.matmul_const_b_only)
      return "its B is not a constant (MatMulConstBOnly)";
    return "";
  }
  if (!constant) return "its weight is not a constant";
  const std::string_view bias = node.input(2);
  if (!bias.empty() && index.initializer(bias) == nullptr) return "its bias is not a constant";
  return "";
}

std::string why_elementwise(const Node& node, const GraphIndex& index) {
  bool has_activation = false;
  for (const std::string& input : node.inputs) {
    const Tensor* constant = index.initializer(input);
    if (constant == nullptr) {
      has_activation = true;
      continue;
    }
    if (constant->type() != DataType::float32) continue;
    const auto values = constant->values<float>();
    if (std::ranges::any_of(values,
                            [](float value) { return std::abs(value) >= kMaskMagnitude; })) {
      return fmt::format("its constant '{}' is a mask whose values would take the whole range",
                         input);
    }
    if (values.empty()) return fmt::format("its constant '{}' is empty", input);
  }
  return has_activation ? "" : "its inputs are all constants";
}

std::string why_table(const Tensor& table, const QuantizeOptions& options) {
  if (options.table_weights == TableWeights::keep_float)
    return "the table that it reads stays float (TableWeights)";
  if (options.npu.enabled) return "NPUs have no tables of integers";
  if (byte_count(table.type(), table.shape()) >= kLeastTableBytes) return "";
  return fmt::format("the table that it reads has {} bytes, and integers are used from {} bytes on",
                     byte_count(table.type(), table.shape()), kLeastTableBytes);
}

std::string why_layout(const Model& model, const Node& node, const GraphIndex& index,
                       const QuantizeOptions& options) {
  if (const Tensor* constant = index.initializer(node.inputs[0])) {
    if (node.is("Gather")) return why_table(*constant, options);
    return "it reads a constant, so its output has a range of its own";
  }
  if (node.is("MaxPool")) {
    if (node.outputs.size() > 1 && !node.outputs[1].empty()) return "its indices are read too";
    if (model.opset() < 12) return "integer MaxPool exists from opset 12 on";
  }
  if (node.is("Resize")) {
    const std::string mode = node.string_attribute("mode", "nearest");
    if (mode != "nearest") {
      return fmt::format("ONNX Runtime's CPU provider has no integer kernel for mode '{}'", mode);
    }
  }
  return "";
}

std::string why_form(const Model& model, const Node& at, const OperatorRule& rule,
                     const GraphIndex& index, const QuantizeOptions& options) {
  switch (rule.kind) {
    case OperatorKind::convolution:
    case OperatorKind::gemm:
    case OperatorKind::matmul:
      return why_weight(at, rule, index, options);
    case OperatorKind::elementwise:
      return why_elementwise(at, index);
    case OperatorKind::clamp:
      return clamp_bounds(at, index) ? "" : "its bounds are not constants";
    case OperatorKind::layout:
      return why_layout(model, at, index, options);
    case OperatorKind::unary:
    case OperatorKind::padding:
      return "";
  }
  return "";
}

}  // namespace

std::string why_not_quantizable(const Model& model, const GraphIndex& index, int node,
                                const QuantizeOptions& options) {
  const Node& at = model.graph.nodes[static_cast<std::size_t>(node)];
  const OperatorRule* rule = find_rule(at);
  if (rule == nullptr) return why_no_rule(at, index);
  if (is_quantized_already({.graph = model.graph, .index = index}, at, *rule))
    return "it is quantized already";
  if (std::string reason = why_types(at, *rule, index); !reason.empty()) return reason;
  if (std::string reason = why_constants(at, index); !reason.empty()) return reason;
  if (std::string reason = why_form(model, at, *rule, index, options); !reason.empty())
    return reason;
  if (std::string reason = why_values(model, at, *rule, index, options); !reason.empty())
    return reason;
  return why_logarithm(model, index, node, options);
}

}  // namespace quantsearch
