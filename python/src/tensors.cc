#include "tensors.h"

#include <fmt/core.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <memory>
#include <utility>
#include <vector>

#include "quantsearch/base/error.h"

namespace nb = nanobind;

namespace quantsearch::python {

namespace {

using Array = nb::ndarray<nb::ro, nb::c_contig, nb::device::cpu>;

/// Element types that numpy has too.
struct SharedType {
  nb::dlpack::dtype_code code;
  std::uint8_t bits;
  DataType type;
};
constexpr SharedType kSharedTypes[] = {
    {nb::dlpack::dtype_code::Float, 32, DataType::float32},
    {nb::dlpack::dtype_code::Float, 64, DataType::float64},
    {nb::dlpack::dtype_code::Float, 16, DataType::float16},
    {nb::dlpack::dtype_code::Int, 8, DataType::int8},
    {nb::dlpack::dtype_code::Int, 16, DataType::int16},
    {nb::dlpack::dtype_code::Int, 32, DataType::int32},
    {nb::dlpack::dtype_code::Int, 64, DataType::int64},
    {nb::dlpack::dtype_code::UInt, 8, DataType::uint8},
    {nb::dlpack::dtype_code::UInt, 16, DataType::uint16},
    {nb::dlpack::dtype_code::UInt, 32, DataType::uint32},
    {nb::dlpack::dtype_code::UInt, 64, DataType::uint64},
    {nb::dlpack::dtype_code::Bool, 8, DataType::boolean},
};

DataType type_of(const nb::dlpack::dtype& type, const std::string& name) {
  for (const SharedType& known : kSharedTypes) {
    if (type.code == static_cast<std::uint8_t>(known.code) && type.bits == known.bits &&
        type.lanes == 1)
      return known.type;
  }
  throw Unsupported(fmt::format(
      "data: array '{}' has elements of {} bits of a kind that models do not take, expected "
      "floating-point numbers, integers or truth values",
      name, type.bits));
}

nb::dlpack::dtype dtype_of(DataType type) {
  for (const SharedType& known : kSharedTypes) {
    if (known.type == type) return {static_cast<std::uint8_t>(known.code), known.bits, 1};
  }
  throw Unsupported(fmt::format("data: numpy has no element type {}", to_string(type)));
}

bool is_below_a_byte(DataType type) { return is_integer(type) && bits_of(type) < 8; }

Tensor of_texts(nb::handle pair) {
  return Tensor::of_strings(nb::cast<Shape>(pair[0]), nb::cast<std::vector<std::string>>(pair[1]));
}

}  // namespace

Tensor to_tensor(nb::handle object, const std::string& name, ArrayMemory memory) {
  if (nb::isinstance<nb::tuple>(object)) return of_texts(object);
  Array array;
  if (!nb::try_cast(object, array, false)) {
    throw InvalidInput(fmt::format("data: '{}' is a {}, expected an array in C order", name,
                                   nb::cast<std::string>(object.type().attr("__name__"))));
  }
  const DataType type = type_of(array.dtype(), name);
  Shape shape;
  for (std::size_t axis = 0; axis < array.ndim(); ++axis)
    shape.push_back(static_cast<std::int64_t>(array.shape(axis)));
  const std::span bytes(static_cast<const std::byte*>(array.data()), array.nbytes());
  if (memory == ArrayMemory::copied) return Tensor::from_bytes(type, std::move(shape), bytes);
  return Tensor::wrapping(type, std::move(shape), std::make_shared<const Array>(array), bytes);
}

Batch to_batch(const nb::dict& arrays, ArrayMemory memory) {
  Batch batch;
  for (const auto& [key, array] : arrays) {
    const auto name = nb::cast<std::string>(key);
    batch[name] = to_tensor(array, name, memory);
  }
  return batch;
}

nb::object to_array(const Tensor& tensor) {
  if (tensor.type() == DataType::string) return nb::make_tuple(tensor.shape(), tensor.strings());
  if (tensor.type() == DataType::bfloat16) return to_array(to_float32(tensor));
  if (is_below_a_byte(tensor.type())) return to_array(convert(tensor, DataType::int8));
  auto kept = std::make_unique<Tensor>(tensor);
  std::vector<std::size_t> shape(tensor.shape().begin(), tensor.shape().end());
  // numpy sees the memory as read-only, because other tensors may share it.
  const void* data = kept->bytes().data();
  const nb::capsule owner(kept.release(), [](void* held) noexcept {
    const std::unique_ptr<Tensor> last(static_cast<Tensor*>(held));
  });
  return nb::cast(nb::ndarray<nb::numpy, nb::ro>(data, shape.size(), shape.data(), owner, nullptr,
                                                 dtype_of(tensor.type())));
}

nb::dict to_arrays(const Batch& batch) {
  nb::dict arrays;
  for (const auto& [name, tensor] : batch) arrays[name.c_str()] = to_array(tensor);
  return arrays;
}

}  // namespace quantsearch::python
