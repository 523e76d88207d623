#pragma once

// The table of operator types: how inputs and outputs are quantized, whether the type is quantized
// by default and how ONNX Runtime's CPU provider runs it. docs/placement.md has the measurements on
// which the table is based.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "quantize/placement/graph_view.h"
#include "quantsearch/model.h"

namespace quantsearch {

enum class OperatorKind {
  convolution,  // input 0 activation, 1 weight, 2 bias
  gemm,         // as convolution
  // Activation times weight or activation; an Add of a constant vector after it is its bias.
  matmul,
  elementwise,  // every input an activation, or a constant that is quantized like one
  unary,        // input 0; further inputs are parameters that stay as they are
  clamp,        // Relu, Clip: folded into the range of the tensor that they bound
  layout,       // moves values without changing them: the output has the input's parameters
  padding,      // merged into the Conv that reads it
};

struct OperatorRule {
  std::string_view op_type;
  OperatorKind kind = OperatorKind::unary;
  bool by_default = false;
  /// "" when the CPU provider runs it on integers, else why it does not or why that is not faster.
  std::string_view drawback;
};

[[nodiscard]] std::span<const OperatorRule> operator_rules();
/// Null for operators that are never quantized.
[[nodiscard]] const OperatorRule* find_rule(const Node& node);

/// True for the kinds whose input 1 is a weight: convolution, gemm and matmul.
[[nodiscard]] bool has_weight(OperatorKind kind);

/// Indices of the inputs that are activations or constants quantized like activations, which
/// excludes weights, biases and shapes.
[[nodiscard]] std::vector<std::size_t> data_inputs(const Node& node, const OperatorRule& rule,
                                                   const GraphIndex& index);

struct Bounds {
  double low = 0;
  double high = 0;  // infinity for Relu
};
/// The bounds of a Relu or Clip; nullopt for other operators and for bounds that are not constants.
[[nodiscard]] std::optional<Bounds> clamp_bounds(const Node& node, const GraphIndex& index);

/// The Add that is the bias of a MatMul: it is the only reader of the MatMul's output and adds a
/// constant vector of one value per column. ONNX Runtime fuses both into one QGemm when no other
/// node is between them.
struct BiasAdd {
  int node = 0;           // index of the Add
  std::string_view bias;  // name of the constant
};
[[nodiscard]] std::optional<BiasAdd> bias_add_of(const GraphView& view, int matmul);

/// True for a Pad with zeros on the spatial axes whose only reader is a Conv. ONNX Runtime merges
/// both.
[[nodiscard]] bool merges_into_conv(const GraphView& view, int pad);

/// True when the Pad fills with zero or with values of its input, so that the range is unchanged.
[[nodiscard]] bool pads_within_range(const Node& pad, const GraphIndex& index);

/// The only node that reads `tensor`. Absent when there are several, when it reads the tensor more
/// than once or when the tensor is a graph output.
[[nodiscard]] std::optional<int> only_reader(const GraphView& view, std::string_view tensor);

/// True for operators whose output holds values of several tensors, or of one tensor and a fill
/// value, so that one step serves all of them.
[[nodiscard]] bool unites_values(const Node& node, const GraphIndex& index);
/// True for data movement whose outputs hold some of the values of its input.
[[nodiscard]] bool selects_values(const Node& node);

/// True when the tensor is float32 according to type inference.
[[nodiscard]] bool is_float_tensor(const GraphIndex& index, std::string_view tensor);
/// True when all outputs are known to be integers or booleans.
[[nodiscard]] bool computes_integers(const GraphIndex& index, const Node& node);
/// The number of dimensions; nullopt when it is not known.
[[nodiscard]] std::optional<std::size_t> rank_of(const GraphIndex& index, std::string_view tensor);

}  // namespace quantsearch
