#include "model/sparse_tensor.h"

#include <fmt/core.h>

#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include "model/tensor_proto.h"

namespace quantsearch::model_io {

namespace {

/// A sparse tensor of a few bytes can declare any shape. One that is larger than a model file can
/// be comes from a damaged file or is too large for memory.
constexpr std::int64_t kLargestDenseBytes = std::int64_t{1} << 31;

Shape dense_shape(const onnx::SparseTensorProto& proto, DataType type, const std::string& what) {
  Shape shape(proto.dims().begin(), proto.dims().end());
  std::int64_t bytes = 0;
  try {
    bytes = byte_count(type, shape);
  } catch (const InvalidInput& error) {
    throw InvalidInput(fmt::format("{}: {}", what, error.what()));
  }
  if (bytes > kLargestDenseBytes) {
    throw Unsupported(
        fmt::format("{}: dense it would have {} bytes, expected at most {}; store it as a dense "
                    "tensor in an external file",
                    what, bytes, kLargestDenseBytes));
  }
  return shape;
}

/// The flat position of each value. `indices` has the shape [values] or [values, rank].
std::vector<std::int64_t> flat_positions(const Tensor& indices, const Shape& shape,
                                         std::int64_t values, const std::string& what) {
  const std::int64_t rank = std::ssize(shape);
  const bool is_flat = indices.shape() == Shape{values};
  if (indices.type() != DataType::int64 || (!is_flat && indices.shape() != Shape{values, rank})) {
    throw InvalidInput(fmt::format("{}: its indices are {} {}, expected int64 [{}] or [{}, {}]",
                                   what, to_string(indices.type()), to_string(indices.shape()),
                                   values, values, rank));
  }
  const std::span<const std::int64_t> numbers = indices.values<std::int64_t>();
  const std::int64_t elements = element_count(shape);
  std::vector<std::int64_t> positions;
  positions.reserve(static_cast<std::size_t>(values));
  for (std::int64_t value = 0; value < values; ++value) {
    bool is_inside = true;
    std::int64_t position = is_flat ? numbers[static_cast<std::size_t>(value)] : 0;
    for (std::int64_t axis = 0; !is_flat && axis < rank; ++axis) {
      const std::int64_t size = shape[static_cast<std::size_t>(axis)];
      const std::int64_t at = numbers[static_cast<std::size_t>(value * rank + axis)];
      is_inside = is_inside && at >= 0 && at < size;
      position = is_inside ? position * size + at : 0;
    }
    if (!is_inside || position < 0 || position >= elements) {
      throw InvalidInput(fmt::format("{}: value {} lies outside its shape {}; export it again",
                                     what, value, to_string(shape)));
    }
    positions.push_back(position);
  }
  return positions;
}

Tensor scattered_strings(const Tensor& values, const std::vector<std::int64_t>& positions,
                         Shape shape) {
  std::vector<std::string> dense(static_cast<std::size_t>(element_count(shape)));
  for (std::size_t value = 0; value < positions.size(); ++value)
    dense[static_cast<std::size_t>(positions[value])] = values.strings()[value];
  return Tensor::of_strings(std::move(shape), std::move(dense));
}

Tensor scattered(const Tensor& values, const std::vector<std::int64_t>& positions, Shape shape,
                 const std::string& what) {
  if (values.type() == DataType::string)
    return scattered_strings(values, positions, std::move(shape));
  if (bits_of(values.type()) % 8 != 0) {
    throw Unsupported(fmt::format("{}: sparse tensors of {} are not read; store it as a dense one",
                                  what, to_string(values.type())));
  }
  const auto width = static_cast<std::size_t>(bits_of(values.type()) / 8);
  std::vector<std::byte> dense(static_cast<std::size_t>(byte_count(values.type(), shape)));
  for (std::size_t value = 0; value < positions.size(); ++value) {
    std::memcpy(dense.data() + static_cast<std::size_t>(positions[value]) * width,
                values.bytes().data() + value * width, width);
  }
  return Tensor::from_bytes(values.type(), std::move(shape), dense);
}

}  // namespace

Tensor take_dense(onnx::SparseTensorProto& proto, ExternalFiles& files, const std::string& what) {
  const Tensor values = take_tensor(*proto.mutable_values(), files, what);
  const Tensor indices = take_tensor(*proto.mutable_indices(), files, "indices of " + what);
  Shape shape = dense_shape(proto, values.type(), what);
  const std::vector<std::int64_t> positions = flat_positions(indices, shape, values.size(), what);
  return scattered(values, positions, std::move(shape), what);
}

}  // namespace quantsearch::model_io
