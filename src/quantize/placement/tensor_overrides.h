#pragma once

// TensorQuantOverrides: what the user asks for a tensor, found by its name or by the name of the
// tensor that its values come from.

#include <optional>
#include <string>
#include <string_view>

#include "quantize/placement/graph_view.h"
#include "quantsearch/quantize.h"

namespace quantsearch {

/// Null when the user said nothing about `tensor`.
[[nodiscard]] const TensorOverride* find_override(const QuantizeOptions& options,
                                                  std::string_view tensor);

/// The override an activation follows: its own, else that of the nearest tensor its values were
/// moved from, because both sides of a layout operator share their parameters.
struct ActivationOverride {
  std::string tensor;  // the one the user named
  const TensorOverride& wanted;
};
[[nodiscard]] std::optional<ActivationOverride> activation_override(const GraphView& view,
                                                                    const QuantizeOptions& options,
                                                                    std::string tensor);

}  // namespace quantsearch
