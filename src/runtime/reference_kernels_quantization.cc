#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "quantsearch/base/error.h"
#include "runtime/reference_kernels.h"

namespace quantsearch::reference {

namespace {

/// Scale and zero point of each element: one pair for the tensor, or one per slice of `axis`.
class Parameters {
 public:
  explicit Parameters(const KernelCall& call) : scale_(wide(call.input(1))) {
    if (call.node.int_attribute("block_size", 0) != 0) call.refuse("block_size");
    zero_point_ = call.has(2) ? wide(call.input(2)) : Tensor(DataType::float64, scale_.shape());
    if (zero_point_.size() != scale_.size()) {
      throw InvalidInput(fmt::format("reference session: {} '{}' has {} scales and {} zero points",
                                     call.node.op_type, call.node.name, scale_.size(),
                                     zero_point_.size()));
    }
    if (scale_.size() == 1) return;
    const Shape& shape = call.input(0).shape();
    axis_ = resolve_axis(call.node.int_attribute("axis", 1), shape.size());
    if (shape[axis_] != scale_.size()) {
      throw InvalidInput(fmt::format("reference session: {} '{}' has {} scales for axis {} of {}",
                                     call.node.op_type, call.node.name, scale_.size(), axis_,
                                     to_string(shape)));
    }
  }

  [[nodiscard]] double scale(const Shape& index) const {
    return scale_.values<double>()[slot(index)];
  }
  [[nodiscard]] double zero_point(const Shape& index) const {
    return zero_point_.values<double>()[slot(index)];
  }

 private:
  [[nodiscard]] std::size_t slot(const Shape& index) const {
    return scale_.size() == 1 ? 0 : static_cast<std::size_t>(index[axis_]);
  }
  Tensor scale_;
  Tensor zero_point_;
  std::size_t axis_ = 0;
};

// y = saturate(round(x / scale) + zero_point). The quotient is a float32 as in the specification,
// because its precision decides which values are ties.
std::vector<Tensor> quantize_linear(const KernelCall& call) {
  const Parameters parameters(call);
  DataType type = static_cast<DataType>(call.node.int_attribute("output_dtype", 0));
  if (call.has(2)) type = call.input(2).type();
  if (type == DataType::undefined) type = DataType::uint8;
  if (!is_integer(type)) call.refuse(to_string(type));
  Tensor result = wide(call.input(0));
  const std::span<double> out = result.mutable_values<double>();
  std::size_t at = 0;
  for_each_index(result.shape(), [&](const Shape& index) {
    const auto quotient =
        static_cast<double>(static_cast<float>(out[at] / parameters.scale(index)));
    out[at++] = std::nearbyint(quotient) + parameters.zero_point(index);
  });
  return {convert(result, type)};
}

// x = (y - zero_point) scale.
std::vector<Tensor> dequantize_linear(const KernelCall& call) {
  const Parameters parameters(call);
  if (!is_integer(call.input(0).type())) call.refuse(to_string(call.input(0).type()));
  Tensor result = wide(call.input(0));
  const std::span<double> out = result.mutable_values<double>();
  std::size_t at = 0;
  for_each_index(result.shape(), [&](const Shape& index) {
    out[at] = (out[at] - parameters.zero_point(index)) * parameters.scale(index);
    ++at;
  });
  return {convert(result, call.input(1).type())};
}

}  // namespace

void add_quantization_kernels(KernelTable& table) {
  table["DequantizeLinear"] = dequantize_linear;
  table["QuantizeLinear"] = quantize_linear;
}

}  // namespace quantsearch::reference
