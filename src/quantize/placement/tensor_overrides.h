#pragma once

// Finds the TensorQuantOverrides of a tensor by its name or by the name of the tensor that its
// values come from.

#include <optional>
#include <string>
#include <string_view>

#include "quantize/placement/graph_view.h"
#include "quantsearch/quantize.h"

namespace quantsearch {

/// The override of `tensor`; null when the user gave none.
[[nodiscard]] const TensorOverride* find_override(const QuantizeOptions& options,
                                                  std::string_view tensor);

/// The override that applies to an activation: its own, else that of the nearest tensor its values
/// were moved from, because input and output of a layout operator share their parameters.
struct ActivationOverride {
  std::string tensor;  // the one the user named
  const TensorOverride& wanted;
};
[[nodiscard]] std::optional<ActivationOverride> activation_override(const GraphView& view,
                                                                    const QuantizeOptions& options,
                                                                    std::string tensor);

}  // namespace quantsearch
