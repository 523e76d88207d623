#pragma once

// Checks TensorQuantOverrides, the user's settings for single tensors, against the plan and turns
// them into parameters. Keys and their meaning are those of ONNX Runtime. An override that cannot
// be applied is an error.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quantize/placement/plan_view.h"
#include "quantsearch/quantize.h"

namespace quantsearch {

/// Throws InvalidInput or Unsupported, with the tensor and key, for an override that cannot be
/// applied.
void require_overrides(const PlanView& view);

/// The parameters of a tensor without its override.
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

/// `ranges`, with their ends replaced where the override gives ends.
[[nodiscard]] std::vector<Range> overridden_ranges(const TensorOverride& wanted,
                                                   std::vector<Range> ranges);

/// True when scales are given or follow from given ends of the range, so that they must not change.
[[nodiscard]] bool fixes_scales(const TensorOverride& wanted);
/// True when the scales themselves are given.
[[nodiscard]] bool gives_params(const TensorOverride& wanted);

}  // namespace quantsearch
