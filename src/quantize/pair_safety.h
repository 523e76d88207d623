#pragma once

// Weights that saturating kernels multiply exactly (docs/targets.md). Where the pairs of an output
// channel could leave 16 bits, its scale is widened just as far as costs least, and single integers
// move to the nearest ones that are safe.

#include <cstdint>
#include <span>
#include <vector>

#include "quantize/activations.h"
#include "quantize/layer_scales.h"
#include "quantsearch/quantize.h"

namespace quantsearch {

/// Integers of one row of weights.
struct SafeRow {
  std::vector<std::int32_t> integers;  // [columns]
  double squared_error = 0;            // in units of the scale
  int moved = 0;                       // integers that rounding alone would have given another value
};
/// Rounds `row` to integers within `limits` whose pairs are safe: where rounding is not, to the
/// nearest pair that is.
[[nodiscard]] SafeRow round_safely(std::span<const float> row, const ScaleZeroPoint& params,
                                   const IntegerLimits& limits, std::span<const WeightPair> pairs);

/// Sets LayerScales::limits where the target asks for safe pairs, and widens scales that are not
/// fixed by the user.
void choose_safe_scales(const Graph& graph, const GraphIndex& index,
                        const Activations& activations, const ExtremesByTensor& extremes,
                        const QuantizeOptions& options, std::vector<LayerScales>& layers,
                        ThreadPool& pool);

/// Quantizes a weight with params that are settled.
[[nodiscard]] QuantizedTensor quantize_safely(const Node& node, const Tensor& weight,
                                              const TensorParams& params,
                                              const IntegerLimits& integer_limits,
                                              const PairLimits& limits);

}  // namespace quantsearch
