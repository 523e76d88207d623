#pragma once

// Tells which layers have kernels that add the products of two weights in 16 bits
// (docs/targets.md).

#include "quantsearch/quantize.h"

namespace quantsearch {

/// True for a layer whose integer kernel adds pairs of products. False for a depthwise Conv, which
/// has another kernel, and for a ConvTranspose, which has none.
[[nodiscard]] bool adds_pairs(const Node& node, const Shape& weight);

}  // namespace quantsearch
