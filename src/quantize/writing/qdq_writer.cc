#include "quantize/writing/qdq_writer.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

namespace quantsearch {

namespace {

template <typename T>
Tensor narrowed(const Shape& shape, const std::vector<std::int64_t>& values) {
  std::vector<T> narrow(values.size());
  std::ranges::transform(values, narrow.begin(),
                         [](std::int64_t value) { return static_cast<T>(value); });
  return Tensor::of<T>(shape, narrow);
}

Tensor zero_point_tensor(const TensorParams& params, const Shape& shape) {
  return convert(narrowed<std::int64_t>(shape, params.zero_points), params.type);
}

bool is_sixteen_bit(DataType type) { return bits_of(type) == 16; }

/// The first ai.onnx opset whose QuantizeLinear and DequantizeLinear accept 16-bit integers.
constexpr std::int64_t kSixteenBitOpset = 21;

}  // namespace

void QdqWriter::add_initializer(const std::string& name, Tensor tensor) {
  graph_.initializers.push_back(
      {.name = name, .tensor = std::make_shared<const Tensor>(std::move(tensor))});
}

QdqWriter::ParameterNames QdqWriter::add_parameters(const std::string& label,
                                                    const TensorParams& params) {
  // Per-tensor parameters have rank 0, and the zero point is always written, because ONNX Runtime
  // 1.29 fails to load some graphs with vectors of one element or an omitted zero point.
  const Shape shape =
      params.axis < 0 ? Shape{} : Shape{static_cast<std::int64_t>(params.scales.size())};
  ParameterNames names{.scale = names_.unique(label + "_scale"),
                       .zero_point = names_.unique(label + "_zero_point")};
  add_initializer(names.scale, Tensor::of<float>(shape, params.scales));
  add_initializer(names.zero_point, zero_point_tensor(params, shape));
  return names;
}

void QdqWriter::add_node(std::string_view op_type, const PairNames& tensor,
                         const ParameterNames& parameters, const TensorParams& params,
                         bool contributed) {
  Node node;
  node.op_type = op_type;
  node.name = names_.unique(fmt::format("{}_{}", tensor.label, op_type));
  node.inputs = {tensor.input, parameters.scale, parameters.zero_point};
  node.outputs = {tensor.output};
  if (params.axis >= 0) node.set_attribute("axis", std::int64_t{params.axis});
  if (contributed || (is_sixteen_bit(params.type) && opset_ < kSixteenBitOpset)) {
    node.domain = "com.microsoft";
    used_contributed_domain_ = true;
  }
  graph_.nodes.push_back(std::move(node));
}

std::string QdqWriter::add_pair(const PairNames& names, const TensorParams& params,
                                bool contributed, float divisor) {
  const ParameterNames parameters = add_parameters(names.label, params);
  ParameterNames before = parameters;
  if (divisor != 1) {
    before.scale = names_.unique(names.label + "_undivided_scale");
    add_initializer(before.scale, Tensor::of<float>({}, {params.scales.front() * divisor}));
  }
  const std::string integers = names_.unique(names.label + "_QuantizeLinear_Output");
  std::string output =
      names.output.empty() ? names_.unique(names.label + "_DequantizeLinear_Output") : names.output;
  add_node("QuantizeLinear", {.label = names.label, .input = names.input, .output = integers},
           before, params, contributed);
  add_node("DequantizeLinear", {.label = names.label, .input = integers, .output = output},
           parameters, params, contributed);
  return output;
}

StoredIntegers QdqWriter::add_integers(const std::string& label, const QuantizedTensor& tensor) {
  const ParameterNames parameters = add_parameters(label, tensor.params);
  StoredIntegers names{.integers = names_.unique(label + "_quantized"),
                       .scale = parameters.scale,
                       .zero_point = parameters.zero_point};
  add_initializer(names.integers, tensor.integers);
  return names;
}

std::string QdqWriter::add_constant(const std::string& label, const QuantizedTensor& tensor) {
  return add_dequantized(label, tensor, add_integers(label, tensor));
}

std::string QdqWriter::add_dequantized(const std::string& label, const QuantizedTensor& tensor,
                                       const StoredIntegers& stored) {
  std::string output = names_.unique(label + "_DequantizeLinear_Output");
  add_dequantize(
      {.label = label, .input = stored.integers, .output = output}, stored, tensor.params,
      tensor.params.axis < 0 ? std::nullopt : std::optional<std::int64_t>(tensor.params.axis));
  return output;
}

void QdqWriter::add_dequantize(const PairNames& tensor, const StoredIntegers& stored,
                               const TensorParams& params, std::optional<std::int64_t> axis) {
  TensorParams of_node = params;
  of_node.axis = -1;
  add_node("DequantizeLinear", tensor, {.scale = stored.scale, .zero_point = stored.zero_point},
           of_node, false);
  if (axis) graph_.nodes.back().set_attribute("axis", *axis);
}

std::string QdqWriter::add_plain(const std::string& label, std::string op_type,
                                 std::vector<std::string> inputs, const std::string& output) {
  Node node;
  node.name = names_.unique(label + "_" + op_type);
  node.outputs = {output.empty() ? names_.unique(label + "_" + op_type + "_Output") : output};
  node.op_type = std::move(op_type);
  node.inputs = std::move(inputs);
  graph_.nodes.push_back(std::move(node));
  return graph_.nodes.back().outputs[0];
}

}  // namespace quantsearch
