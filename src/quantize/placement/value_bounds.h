#pragma once

// Bounds for a tensor of which calibration has seen no value. They follow from the ranges of the
// tensors that it is computed from. They are wider than an observed range, but they clip nothing
// beyond what calibration has clipped in those tensors.

#include <functional>
#include <optional>
#include <string>

#include "quantize/placement/graph_view.h"
#include "quantize/placement/operators.h"
#include "quantsearch/quantize.h"

namespace quantsearch {

/// Gives the observed range of a tensor by the name of its source; nullopt when there is none.
using ObservedRange = std::function<std::optional<Range>(const std::string& tensor)>;

/// The bounds of `tensor`. Nullopt when it is computed, directly or through other tensors, by an
/// operator for which no bounds are known here.
[[nodiscard]] std::optional<Range> value_bounds(const GraphView& view, const std::string& tensor,
                                                const ObservedRange& observed);

/// True when value_bounds() will find bounds once all tensors have ranges except those in `facts`.
[[nodiscard]] bool has_value_bounds(const GraphView& view, const std::string& tensor,
                                    const Facts& facts);

}  // namespace quantsearch
