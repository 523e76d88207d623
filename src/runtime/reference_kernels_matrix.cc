#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "quantsearch/base/error.h"
#include "runtime/reference_kernels.h"

namespace quantsearch::reference {

namespace {

// Y = A B over the last two axes; the other axes broadcast. A vector on the left counts as a row
// and one on the right as a column; the axis added for this is removed from the result.
std::vector<Tensor> matmul(const KernelCall& call) {
  Tensor left = wide(call.input(0));
  Tensor right = wide(call.input(1));
  const bool left_is_vector = left.shape().size() == 1;
  const bool right_is_vector = right.shape().size() == 1;
  if (left_is_vector) left = left.reshaped({1, left.shape()[0]});
  if (right_is_vector) right = right.reshaped({right.shape()[0], 1});
  const std::int64_t depth = left.shape().back();
  if (right.shape()[right.shape().size() - 2] != depth) {
    throw InvalidInput(
        fmt::format("reference session: MatMul '{}' of {} and {}: inner sizes differ",
                    call.node.name, to_string(left.shape()), to_string(right.shape())));
  }
  const Shape left_stack(left.shape().begin(), left.shape().end() - 2);
  const Shape right_stack(right.shape().begin(), right.shape().end() - 2);
  Shape shape = broadcast_shape(left_stack, right_stack);
  const std::size_t stacked = shape.size();
  const std::int64_t rows = left.shape()[left.shape().size() - 2];
  const std::int64_t columns = right.shape().back();
  shape.push_back(rows);
  shape.push_back(columns);

  Tensor result(DataType::float64, shape);
  const std::span<double> out = result.mutable_values<double>();
  const std::span<const double> a = std::as_const(left).values<double>();
  const std::span<const double> b = std::as_const(right).values<double>();
  std::size_t at = 0;
  for_each_index(shape, [&](const Shape& index) {
    const Shape stack(index.begin(), index.begin() + static_cast<std::ptrdiff_t>(stacked));
    const std::int64_t from_a =
        (broadcast_offset(stack, left_stack) * rows + index[stacked]) * depth;
    const std::int64_t from_b =
        broadcast_offset(stack, right_stack) * depth * columns + index[stacked + 1];
    double sum = 0;
    for (std::int64_t inner = 0; inner < depth; ++inner) {
      sum += a[static_cast<std::size_t>(from_a + inner)] *
             b[static_cast<std::size_t>(from_b + inner * columns)];
    }
    out[at++] = sum;
  });
  if (left_is_vector) shape.erase(shape.end() - 2);
  if (right_is_vector) shape.pop_back();
  return {convert(result.reshaped(shape), call.input(0).type())};
}

// Y = alpha op(A) op(B) + beta C, where op transposes if transA or transB is set, and C broadcasts.
std::vector<Tensor> gemm(const KernelCall& call) {
  const Tensor a = wide(call.input(0));
  const Tensor b = wide(call.input(1));
  const bool transposes_a = call.node.int_attribute("transA", 0) != 0;
  const bool transposes_b = call.node.int_attribute("transB", 0) != 0;
  const double alpha = call.node.float_attribute("alpha", 1.0F);
  const double beta = call.node.float_attribute("beta", 1.0F);
  const std::int64_t rows = a.shape()[transposes_a ? 1 : 0];
  const std::int64_t depth = a.shape()[transposes_a ? 0 : 1];
  const std::int64_t columns = b.shape()[transposes_b ? 0 : 1];
  if (b.shape()[transposes_b ? 1 : 0] != depth) {
    throw InvalidInput(fmt::format("reference session: Gemm '{}' of {} and {}: inner sizes differ",
                                   call.node.name, to_string(a.shape()), to_string(b.shape())));
  }
  const Tensor bias = call.has(2) ? wide(call.input(2)) : Tensor(DataType::float64, {1});
  Tensor result(DataType::float64, {rows, columns});
  const std::span<double> out = result.mutable_values<double>();
  std::size_t at = 0;
  for_each_index(result.shape(), [&](const Shape& index) {
    double sum = 0;
    for (std::int64_t inner = 0; inner < depth; ++inner) {
      const Shape in_a = transposes_a ? Shape{inner, index[0]} : Shape{index[0], inner};
      const Shape in_b = transposes_b ? Shape{index[1], inner} : Shape{inner, index[1]};
      sum += a.values<double>()[static_cast<std::size_t>(offset_of(in_a, a.shape()))] *
             b.values<double>()[static_cast<std::size_t>(offset_of(in_b, b.shape()))];
    }
    const auto in_bias = static_cast<std::size_t>(broadcast_offset(index, bias.shape()));
    out[at++] = alpha * sum + beta * bias.values<double>()[in_bias];
  });
  return {convert(result, call.input(0).type())};
}

}  // namespace

void add_matrix_kernels(KernelTable& table) {
  table["Gemm"] = gemm;
  table["MatMul"] = matmul;
}

}  // namespace quantsearch::reference
