#pragma once

// The kernels of the reference session: one plain function per ONNX operator, in double precision.
// Each can be checked by eye against the operator's text in the ONNX specification
// (https://onnx.ai/onnx/operators/).

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "quantsearch/model.h"
#include "quantsearch/tensor.h"

namespace quantsearch::reference {

/// One node to compute. An omitted optional input is an undefined tensor.
struct KernelCall {
  const Node& node;
  std::span<const Tensor> inputs;
  std::int64_t opset;  // version of the node's domain

  [[nodiscard]] bool has(std::size_t index) const {
    return index < inputs.size() && inputs[index].is_defined();
  }
  /// Throws InvalidInput when input `index` is missing.
  [[nodiscard]] const Tensor& input(std::size_t index) const;
  /// Input `index` as int64s when it is given, else the attribute, else `fallback`. Axes, pads,
  /// sizes and similar values are attributes in older opsets and inputs in newer ones.
  [[nodiscard]] std::vector<std::int64_t> ints(std::size_t index, std::string_view attribute,
                                               std::vector<std::int64_t> fallback) const;
  [[noreturn]] void refuse(std::string_view what) const;  // throws Unsupported naming the node
};

/// Returns the outputs in the node's order; there may be fewer than the node names when the rest
/// are optional.
using Kernel = std::vector<Tensor> (*)(const KernelCall& call);
using KernelTable = std::map<std::string, Kernel, std::less<>>;

void add_elementwise_kernels(KernelTable& table);
void add_activation_kernels(KernelTable& table);
void add_matrix_kernels(KernelTable& table);
void add_convolution_kernels(KernelTable& table);
void add_pooling_kernels(KernelTable& table);
void add_normalization_kernels(KernelTable& table);
void add_layout_kernels(KernelTable& table);
void add_slicing_kernels(KernelTable& table);
void add_quantization_kernels(KernelTable& table);

/// Elements as double; integers are exact up to 2^53.
[[nodiscard]] Tensor wide(const Tensor& tensor);
/// Calls visit(index) for each index of a shape; the last axis varies fastest. A scalar has one
/// index, the empty one.
void for_each_index(const Shape& shape, const std::function<void(const Shape& index)>& visit);
/// Position of `index` in a row-major tensor of `shape`.
[[nodiscard]] std::int64_t offset_of(const Shape& index, const Shape& shape);
/// Position of `index` in a row-major tensor of `shape`, broadcast to the rank of `index`: axes are
/// matched from the right, and axes of size 1 are repeated.
[[nodiscard]] std::int64_t broadcast_offset(const Shape& index, const Shape& shape);
/// The shape to which both broadcast. Throws InvalidInput when two sizes differ and neither is 1.
[[nodiscard]] Shape broadcast_shape(const Shape& left, const Shape& right);
/// The axis as a number in [0, rank); negative axes count from the end. Throws InvalidInput outside
/// [-rank, rank).
[[nodiscard]] std::size_t resolve_axis(std::int64_t axis, std::size_t rank);

/// A tensor whose element at `index` is element source_offset(index) of `source`; where that offset
/// is negative it is `fill` (a scalar of the same type), or zero bytes when `fill` is undefined.
/// Throws Unsupported for types whose elements are not whole bytes.
[[nodiscard]] Tensor pick_elements(
    const Tensor& source, Shape shape,
    const std::function<std::int64_t(const Shape& index)>& source_offset, const Tensor& fill = {});

}  // namespace quantsearch::reference
