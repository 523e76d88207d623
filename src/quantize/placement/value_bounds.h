#pragma once

// What a tensor can hold at most when calibration has seen no value of it: bounds that follow from
// the ranges of what it is computed from. Wider than a range that was observed, but nothing is
// clipped that calibration has not clipped before.

#include <functional>
#include <optional>
#include <string>

#include "quantize/placement/graph_view.h"
#include "quantize/placement/operators.h"
#include "quantsearch/quantize.h"

namespace quantsearch {

/// The range of a tensor that was observed, under the name of its source; nullopt for others.
using ObservedRange = std::function<std::optional<Range>(const std::string& tensor)>;

/// Nullopt when `tensor` is made by an operator whose results are not bounded here, or comes from
/// such a one.
[[nodiscard]] std::optional<Range> value_bounds(const GraphView& view, const std::string& tensor,
                                                const ObservedRange& observed);

/// Whether value_bounds will find some once there are ranges: those of all tensors but the ones
/// that `facts` know.
[[nodiscard]] bool has_value_bounds(const GraphView& view, const std::string& tensor,
                                    const Facts& facts);

}  // namespace quantsearch
