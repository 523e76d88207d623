#pragma once

// What is known of each operator type: how its inputs and outputs are quantized, whether it is
// quantized by default and what ONNX Runtime's CPU provider makes of it. docs/placement.md has the
// measurements behind the table.

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
  gemm,         // the same
  matmul,  // activation times weight or activation; an Add of a constant vector behind it is its
           // bias
  elementwise,  // every input an activation, or a constant that is quantized like one
  unary,        // input 0; further inputs are parameters that stay as they are
  clamp,        // Relu, Clip: folded into the range of what they bound
  layout,       // moves values without changing them: output parameters are the input's
  padding,      // merged into the Conv behind it
};

struct OperatorRule {
  std::string_view op_type;
  OperatorKind kind = OperatorKind::unary;
  bool by_default = false;
  /// "" when the CPU provider runs it on integers, else why it does not, or why that does not pay.
  std::string_view drawback;
};

[[nodiscard]] std::span<const OperatorRule> operator_rules();
/// Null for operators that are never quantized.
[[nodiscard]] const OperatorRule* find_rule(const Node& node);

/// Of a Conv, Gemm or MatMul.
[[nodiscard]] bool has_weight(OperatorKind kind);

/// Indices of the inputs that are activations or constants quantized like activations (not weight,
/// bias, shapes, …).
[[nodiscard]] std::vector<std::size_t> data_inputs(const Node& node, const OperatorRule& rule,
                                                   const GraphIndex& index);

struct Bounds {
  double low = 0;
  double high = 0;  // infinity for Relu
};
/// What a Relu or Clip bounds its input to; nullopt for other operators and for bounds that are not
/// constants.
[[nodiscard]] std::optional<Bounds> clamp_bounds(const Node& node, const GraphIndex& index);

/// The Add that gives a MatMul its bias: the only reader of its output, adding a constant vector of
/// one value per column. ONNX Runtime makes one QGemm of both when nothing stands between them.
struct BiasAdd {
  int node = 0;           // index of the Add
  std::string_view bias;  // name of the constant
};
[[nodiscard]] std::optional<BiasAdd> bias_add_of(const GraphView& view, int matmul);

/// True for a Pad with zeros on the spatial axes whose only reader is a Conv: ONNX Runtime merges
/// the two.
[[nodiscard]] bool merges_into_conv(const GraphView& view, int pad);

/// True when the Pad fills with zero or with values of its input, so that the range stays.
[[nodiscard]] bool pads_within_range(const Node& pad, const GraphIndex& index);

/// The only node that reads `tensor`, when it reads it once and the tensor is no graph output.
[[nodiscard]] std::optional<int> only_reader(const GraphView& view, std::string_view tensor);

/// True for operators whose output holds values of several tensors, or of one and a filling: one
/// step for all of them.
[[nodiscard]] bool unites_values(const Node& node, const GraphIndex& index);
/// True for data movement whose outputs hold some of the values of its input.
[[nodiscard]] bool selects_values(const Node& node);

/// True when a float32 tensor, as far as inference knows.
[[nodiscard]] bool is_float_tensor(const GraphIndex& index, std::string_view tensor);
/// Number of dimensions, when known.
[[nodiscard]] std::optional<std::size_t> rank_of(const GraphIndex& index, std::string_view tensor);

}  // namespace quantsearch
