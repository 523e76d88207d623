#pragma once

// A slow and simple reference, on any machine, for the kernels of x86 processors without VNNI: two
// neighbouring products of uint8 and int8 are added in 16 bits with saturation. The order of the
// reduction is that of ONNX Runtime's kernels.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "quantsearch/quantize.h"
#include "quantsearch/runtime.h"

namespace quantsearch::testing {

/// Pairs of an input value and its weight, in the order of the reduction.
using Products = std::vector<std::pair<std::int64_t, std::int64_t>>;

[[nodiscard]] std::int64_t exact_sum(const Products& products);
/// Adds products (0, 1), (2, 3), … in 16 bits with saturation, and those sums in 32 bits.
[[nodiscard]] std::int64_t saturating_sum(const Products& products);

/// For each layer, how many sums of a written model differ between the two functions. The layers
/// are every Conv, Gemm and MatMul of an 8-bit activation and int8 weights; the sums are those of
/// the stored integers of an exact run. int8 activations count as uint8, 128 higher. Depthwise
/// convolutions have no pairs.
[[nodiscard]] std::map<std::string, std::int64_t> saturated_sums(const Model& quantized,
                                                                 const std::vector<Batch>& samples);

}  // namespace quantsearch::testing
