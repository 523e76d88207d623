#pragma once

// Which layers have kernels that add the products of two weights in 16 bits (docs/targets.md).

#include "quantsearch/quantize.h"

namespace quantsearch {

/// True for a layer whose integer kernel adds pairs of products: not a depthwise Conv, which has a
/// kernel of its own, and not a ConvTranspose, which has none.
[[nodiscard]] bool adds_pairs(const Node& node, const Shape& weight);

}  // namespace quantsearch
