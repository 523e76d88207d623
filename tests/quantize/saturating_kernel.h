#pragma once

// What x86 processors without VNNI compute, slowly and obviously, on any machine: two neighbouring
// products of uint8 and int8 are added in 16 bits, which saturate. The order of the reduction is
// that of ONNX Runtime's kernels.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "quantsearch/quantize.h"
#include "quantsearch/runtime.h"

namespace quantsearch::testing {

/// One value of a kernel's input and the weight it meets, in the order of the reduction.
using Products = std::vector<std::pair<std::int64_t, std::int64_t>>;

[[nodiscard]] std::int64_t exact_sum(const Products& products);
/// Products (0, 1), (2, 3), … are added in 16 bits that saturate, those sums in 32 bits.
[[nodiscard]] std::int64_t saturating_sum(const Products& products);

/// How many sums of a written model differ between the two, by layer: every Conv, Gemm and MatMul
/// between an 8-bit activation and int8 weights, on the stored integers of an exact run. int8
/// activations count as uint8, 128 higher. Depthwise convolutions have no pairs.
[[nodiscard]] std::map<std::string, std::int64_t> saturated_sums(const Model& quantized,
                                                                 const std::vector<Batch>& samples);

}  // namespace quantsearch::testing
