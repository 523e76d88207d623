#pragma once

// TensorQuantOverrides: what the user asks for single tensors, checked against the plan and turned
// into parameters. Keys and meaning are ONNX Runtime's; what cannot be done is an error.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quantize/plan.h"
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
[[nodiscard]] std::optional<ActivationOverride> activation_override(const Graph& graph,
                                                                    const GraphIndex& index,
                                                                    const QuantizeOptions& options,
                                                                    std::string tensor);

/// Throws InvalidInput or Unsupported, naming tensor and key, for an override that cannot be done.
void require_overrides(const Graph& graph, const GraphIndex& index, const Plan& plan,
                       const QuantizeOptions& options);

/// What a tensor has without its override.
struct PlainParameters {
  DataType type = DataType::undefined;
  bool symmetric = false;
  bool reduce_range = false;
  PowerOfTwoRounding rounding = PowerOfTwoRounding::none;
  int axis = -1;
  std::vector<Range> ranges = {};  // one, or one per channel
};
[[nodiscard]] TensorParams overridden_params(const TensorOverride& wanted,
                                             const PlainParameters& plain);

/// `ranges` with the ends that the override sets in place of theirs.
[[nodiscard]] std::vector<Range> overridden_ranges(const TensorOverride& wanted,
                                                   std::vector<Range> ranges);

/// True when scales are given, or follow from given ends of the range: they must not be changed.
[[nodiscard]] bool fixes_scales(const TensorOverride& wanted);
/// True when the scales themselves are given.
[[nodiscard]] bool gives_params(const TensorOverride& wanted);

}  // namespace quantsearch
