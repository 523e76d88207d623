#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "quantsearch/base/error.h"
#include "runtime/reference_kernels.h"

namespace quantsearch::reference {

const Tensor& KernelCall::input(std::size_t index) const {
  if (!has(index)) {
    throw InvalidInput(
        fmt::format("reference session: {} '{}' has no input {}", node.op_type, node.name, index));
  }
  return inputs[index];
}

std::vector<std::int64_t> KernelCall::ints(std::size_t index, std::string_view attribute,
                                           std::vector<std::int64_t> fallback) const {
  if (has(index)) return to_int64s(inputs[index]);
  return node.ints_attribute(attribute, std::move(fallback));
}

void KernelCall::refuse(std::string_view what) const {
  throw Unsupported(fmt::format("reference session: {} '{}': {} is not supported", node.op_type,
                                node.name, what));
}

Tensor wide(const Tensor& tensor) { return convert(tensor, DataType::float64); }

void for_each_index(const Shape& shape, const std::function<void(const Shape& index)>& visit) {
  const std::int64_t count = element_count(shape);
  Shape index(shape.size(), 0);
  for (std::int64_t visited = 0; visited < count; ++visited) {
    visit(index);
    for (std::size_t axis = shape.size(); axis-- > 0;) {
      if (++index[axis] < shape[axis]) break;
      index[axis] = 0;
    }
  }
}

std::int64_t offset_of(const Shape& index, const Shape& shape) {
  std::int64_t offset = 0;
  for (std::size_t axis = 0; axis < shape.size(); ++axis)
    offset = offset * shape[axis] + index[axis];
  return offset;
}

std::int64_t broadcast_offset(const Shape& index, const Shape& shape) {
  const std::size_t leading = index.size() - shape.size();
  std::int64_t offset = 0;
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    offset = offset * shape[axis] + (shape[axis] == 1 ? 0 : index[leading + axis]);
  }
  return offset;
}

Shape broadcast_shape(const Shape& left, const Shape& right) {
  Shape shape(std::max(left.size(), right.size()), 1);
  for (std::size_t from_end = 1; from_end <= shape.size(); ++from_end) {
    const std::int64_t a = from_end <= left.size() ? left[left.size() - from_end] : 1;
    const std::int64_t b = from_end <= right.size() ? right[right.size() - from_end] : 1;
    if (a != b && a != 1 && b != 1) {
      throw InvalidInput(fmt::format("reference session: shapes {} and {} do not broadcast",
                                     to_string(left), to_string(right)));
    }
    shape[shape.size() - from_end] = a == 1 ? b : a;
  }
  return shape;
}

std::size_t resolve_axis(std::int64_t axis, std::size_t rank) {
  const auto signed_rank = static_cast<std::int64_t>(rank);
  if (axis < -signed_rank || axis >= signed_rank) {
    throw InvalidInput(
        fmt::format("reference session: axis {} is outside a tensor of rank {}", axis, rank));
  }
  return static_cast<std::size_t>(axis < 0 ? axis + signed_rank : axis);
}

Tensor pick_elements(const Tensor& source, Shape shape,
                     const std::function<std::int64_t(const Shape& index)>& source_offset,
                     const Tensor& fill) {
  if (source.type() == DataType::string || bits_of(source.type()) % 8 != 0) {
    throw Unsupported(fmt::format("reference session: moving {} elements is not supported",
                                  to_string(source.type())));
  }
  const auto width = static_cast<std::size_t>(bits_of(source.type()) / 8);
  std::vector<std::byte> bytes(static_cast<std::size_t>(byte_count(source.type(), shape)));
  std::byte* target = bytes.data();
  for_each_index(shape, [&](const Shape& index) {
    const std::int64_t offset = source_offset(index);
    if (offset >= 0) {
      std::memcpy(target, source.bytes().data() + static_cast<std::size_t>(offset) * width, width);
    } else if (fill.is_defined()) {
      std::memcpy(target, fill.bytes().data(), width);
    }
    target += width;
  });
  return Tensor::from_bytes(source.type(), std::move(shape), bytes);
}

}  // namespace quantsearch::reference
