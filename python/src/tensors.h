#pragma once

// Conversion of numpy arrays to tensors and back.

#include <nanobind/nanobind.h>

#include <string>

#include "quantsearch/data.h"
#include "quantsearch/tensor.h"

namespace quantsearch::python {

/// Whether a tensor shares the memory of the array, which it then keeps alive, or copies it.
enum class ArrayMemory { shared, copied };
/// Takes a C-contiguous array of numbers, or a list of str with the shape as a pair (shape, texts).
/// Throws InvalidInput for another object and Unsupported for another element type; `name` names
/// the array in messages.
[[nodiscard]] Tensor to_tensor(nanobind::handle array, const std::string& name, ArrayMemory memory);
/// Arrays by the names of inputs.
[[nodiscard]] Batch to_batch(const nanobind::dict& arrays, ArrayMemory memory);
/// An array over the memory of the tensor. Types that numpy lacks become float32 (bfloat16) or int8
/// (integers below 8 bits); texts become a list.
[[nodiscard]] nanobind::object to_array(const Tensor& tensor);
[[nodiscard]] nanobind::dict to_arrays(const Batch& batch);

}  // namespace quantsearch::python
