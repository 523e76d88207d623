#pragma once

// TensorQuantOverrides: what the user asks for single tensors, checked against the plan and turned
// into parameters. Keys and meaning are ONNX Runtime's; what cannot be done is an error.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quantize/placement/plan_view.h"
#include "quantsearch/quantize.h"

namespace quantsearch {

/// Throws InvalidInput or Unsupported, naming tensor and key, for an override that cannot be done.
void require_overrides(const PlanView& view);

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
