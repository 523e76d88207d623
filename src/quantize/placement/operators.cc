#include "quantize/placement/operators.h"

#include <algorithm>
#include <array>
#include <limits>

namespace quantsearch {

namespace {

constexpr std::string_view kNoKernel = "ONNX Runtime's CPU provider has no integer kernel for it";
constexpr std::string_view kSlow = "ONNX Runtime's integer kernel for it is slower than float";

using Kind = OperatorKind;

// Sorted by name.
constexpr auto kRules = std::to_array<OperatorRule>({
    {"Abs", Kind::unary, false, kNoKernel},
    {"Add", Kind::elementwise, true, ""},
    {"AveragePool", Kind::unary, false, kSlow},  // 0.03 x float alone, 0.3 x between Convs
    {"BatchNormalization", Kind::unary, false, kNoKernel},
    {"Celu", Kind::unary, false, kNoKernel},
    {"Clip", Kind::clamp, true, ""},
    {"Concat", Kind::elementwise, true, ""},
    {"Conv", Kind::convolution, true, ""},
    {"ConvTranspose", Kind::convolution, false, kNoKernel},
    {"DepthToSpace", Kind::layout, true, ""},
    {"Div", Kind::elementwise, false, kNoKernel},
    {"Elu", Kind::unary, false, kNoKernel},
    {"Erf", Kind::unary, false, kNoKernel},
    {"Exp", Kind::unary, false, kNoKernel},
    {"Expand", Kind::layout, true, ""},
    {"Flatten", Kind::layout, true, ""},
    {"Gather", Kind::layout, true, ""},
    {"Gelu", Kind::unary, false, kNoKernel},
    {"Gemm", Kind::gemm, true, ""},
    {"GlobalAveragePool", Kind::unary, true, ""},
    {"GlobalMaxPool", Kind::unary, false, kNoKernel},
    {"HardSigmoid", Kind::unary, false, kNoKernel},
    {"HardSwish", Kind::unary, false, kNoKernel},
    {"InstanceNormalization", Kind::unary, false, kNoKernel},
    {"LayerNormalization", Kind::unary, false, kNoKernel},
    {"LeakyRelu", Kind::unary, true, ""},
    {"LogSoftmax", Kind::unary, false, kNoKernel},
    {"LpNormalization", Kind::unary, false, kNoKernel},
    {"MatMul", Kind::matmul, true, ""},
    {"Max", Kind::elementwise, false, kNoKernel},
    {"MaxPool", Kind::layout, true, ""},
    {"Min", Kind::elementwise, false, kNoKernel},
    {"Mish", Kind::unary, false, kNoKernel},
    {"Mul", Kind::elementwise, true, ""},
    {"Neg", Kind::unary, false, kNoKernel},
    {"PRelu", Kind::elementwise, false, kNoKernel},
    {"Pad", Kind::padding, true, ""},
    {"Pow", Kind::elementwise, false, kNoKernel},
    {"ReduceMean", Kind::unary, false, kNoKernel},
    {"ReduceSum", Kind::unary, false, kNoKernel},
    {"Relu", Kind::clamp, true, ""},
    {"Reshape", Kind::layout, true, ""},
    {"Resize", Kind::layout, true, ""},
    {"Selu", Kind::unary, false, kNoKernel},
    {"Sigmoid", Kind::unary, true, ""},
    {"Slice", Kind::layout, true, ""},
    {"Softmax", Kind::unary, false, kSlow},  // 0.15 x float
    {"Softplus", Kind::unary, false, kNoKernel},
    {"SpaceToDepth", Kind::unary, false, kNoKernel},
    {"Split", Kind::layout, true, ""},
    {"Sqrt", Kind::unary, false, kNoKernel},
    {"Squeeze", Kind::layout, true, ""},
    {"Sub", Kind::elementwise, false, kNoKernel},
    {"Tanh", Kind::unary, false, kNoKernel},
    {"Tile", Kind::layout, true, ""},
    {"Transpose", Kind::layout, true, ""},
    {"Unsqueeze", Kind::layout, true, ""},
    {"Where", Kind::elementwise, true, ""},
});

/// The bound, which is a constant scalar input or, in older opsets, an attribute; `fallback` when
/// it is absent, nullopt when it is not a constant.
std::optional<double> clip_bound(const Node& node, const GraphIndex& index, std::size_t input,
                                 std::string_view attribute, double fallback) {
  if (node.find_attribute(attribute) != nullptr)
    return static_cast<double>(node.float_attribute(attribute, 0));
  const std::string_view name = node.input(input);
  if (name.empty()) return fallback;
  const Tensor* bound = index.initializer(name);
  if (bound == nullptr || bound->type() != DataType::float32 || bound->size() != 1)
    return std::nullopt;
  return static_cast<double>(bound->values<float>()[0]);
}

bool is_zero(const Tensor& tensor) {
  return tensor.type() == DataType::float32 && tensor.size() == 1 && tensor.values<float>()[0] == 0;
}

/// True for a vector of `columns` values with any number of leading dimensions of size 1.
bool is_bias_vector(const Tensor& tensor, std::int64_t columns) {
  return tensor.type() == DataType::float32 && !tensor.shape().empty() &&
         tensor.shape().back() == columns && tensor.size() == columns;
}

std::vector<std::int64_t> pad_amounts(const Node& pad, const GraphIndex& index) {
  if (pad.find_attribute("pads") != nullptr) return pad.ints_attribute("pads", {});
  const Tensor* pads = index.initializer(pad.input(1));
  if (pads == nullptr || !pad.input(3).empty()) return {};  // an axes input is not supported here
  return to_int64s(*pads);
}

}  // namespace

std::span<const OperatorRule> operator_rules() { return kRules; }

const OperatorRule* find_rule(const Node& node) {
  if (!node.domain.empty()) return nullptr;
  const auto found =
      std::ranges::lower_bound(kRules, std::string_view(node.op_type), {}, &OperatorRule::op_type);
  return found != kRules.end() && found->op_type == node.op_type ? &*found : nullptr;
}

bool has_weight(OperatorKind kind) {
  return kind == Kind::convolution || kind == Kind::gemm || kind == Kind::matmul;
}

std::vector<std::size_t> data_inputs(const Node& node, const OperatorRule& rule,
                                     const GraphIndex& index) {
  switch (rule.kind) {
    case Kind::convolution:
    case Kind::gemm:
    case Kind::unary:
    case Kind::clamp:
    case Kind::layout:
    case Kind::padding:
      return {0};
    case Kind::matmul:
      if (index.initializer(node.input(1)) != nullptr) return {0};
      return {0, 1};
    case Kind::elementwise: {
      std::vector<std::size_t> inputs;
      for (std::size_t input = node.op_type == "Where" ? 1 : 0; input < node.inputs.size();
           ++input) {
        inputs.push_back(input);
      }
      return inputs;
    }
  }
  return {};
}

std::optional<Bounds> clamp_bounds(const Node& node, const GraphIndex& index) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (node.is("Relu")) return Bounds{.low = 0, .high = kInfinity};
  if (!node.is("Clip")) return std::nullopt;
  const auto low = clip_bound(node, index, 1, "min", -kInfinity);
  const auto high = clip_bound(node, index, 2, "max", kInfinity);
  if (!low || !high) return std::nullopt;
  return Bounds{.low = *low, .high = *high};
}

std::optional<int> only_reader(const GraphView& view, std::string_view tensor) {
  const auto readers = view.index.consumers(tensor);
  if (readers.size() != 1 || view.index.is_graph_output(tensor)) return std::nullopt;
  const auto& inputs = view.node(readers[0]).inputs;
  // It is read twice, or inside a subgraph.
  if (std::ranges::count(inputs, tensor) != 1) return std::nullopt;
  return readers[0];
}

std::optional<BiasAdd> bias_add_of(const GraphView& view, int matmul) {
  const Node& node = view.node(matmul);
  const Tensor* weight = view.index.initializer(node.input(1));
  if (!node.is("MatMul") || weight == nullptr || weight->shape().size() != 2) return std::nullopt;
  const auto reader = only_reader(view, node.outputs[0]);
  if (!reader) return std::nullopt;
  const Node& add = view.node(*reader);
  if (!add.is("Add")) return std::nullopt;
  const std::string& other = add.inputs[add.inputs[0] == node.outputs[0] ? 1 : 0];
  const Tensor* bias = view.index.initializer(other);
  if (bias == nullptr || !is_bias_vector(*bias, weight->shape()[1])) return std::nullopt;
  // A bias with more dimensions than the product would raise the rank of the result.
  if (bias->shape().size() >
      std::max<std::size_t>(1, rank_of(view.index, node.outputs[0]).value_or(1)))
    return std::nullopt;
  return BiasAdd{.node = *reader, .bias = other};
}

bool pads_within_range(const Node& pad, const GraphIndex& index) {
  if (pad.string_attribute("mode", "constant") != "constant") return true;
  if (pad.find_attribute("value") != nullptr) return pad.float_attribute("value", 0) == 0;
  const std::string_view value = pad.input(2);
  if (value.empty()) return true;
  const Tensor* constant = index.initializer(value);
  return constant != nullptr && is_zero(*constant);
}

bool merges_into_conv(const GraphView& view, int pad) {
  const Node& node = view.node(pad);
  if (node.string_attribute("mode", "constant") != "constant" ||
      !pads_within_range(node, view.index))
    return false;
  const auto reader = only_reader(view, node.outputs[0]);
  if (!reader || !view.node(*reader).is("Conv") ||
      view.node(*reader).inputs[0] != node.outputs[0]) {
    return false;
  }
  const std::vector<std::int64_t> amounts = pad_amounts(node, view.index);
  const std::size_t rank = amounts.size() / 2;
  if (rank < 3) return false;
  const bool spatial_only =
      amounts[0] == 0 && amounts[1] == 0 && amounts[rank] == 0 && amounts[rank + 1] == 0;
  return spatial_only &&
         std::ranges::all_of(amounts, [](std::int64_t amount) { return amount >= 0; });
}

bool unites_values(const Node& node, const GraphIndex& index) {
  if (node.is("Pad")) return !pads_within_range(node, index);
  return node.is("Concat") || node.is("Where") || node.is("Max") || node.is("Min");
}

bool selects_values(const Node& node) {
  return node.is("Slice") || node.is("Split") || node.is("Gather");
}

bool is_float_tensor(const GraphIndex& index, std::string_view tensor) {
  if (const Tensor* constant = index.initializer(tensor))
    return constant->type() == DataType::float32;
  const ValueInfo* value = index.value(tensor);
  return value != nullptr && value->type == DataType::float32;
}

bool computes_integers(const GraphIndex& index, const Node& node) {
  return std::ranges::all_of(node.outputs, [&](const std::string& output) {
    if (output.empty()) return true;
    const ValueInfo* value = index.value(output);
    return value != nullptr && (is_integer(value->type) || value->type == DataType::boolean);
  });
}

std::optional<std::size_t> rank_of(const GraphIndex& index, std::string_view tensor) {
  if (const Tensor* constant = index.initializer(tensor)) return constant->shape().size();
  const ValueInfo* value = index.value(tensor);
  if (value == nullptr || !value->dimensions) return std::nullopt;
  return value->dimensions->size();
}

}  // namespace quantsearch
