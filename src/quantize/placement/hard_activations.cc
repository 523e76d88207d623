#include "quantize/placement/hard_activations.h"

namespace quantsearch {

bool has_integer_hard_activations(const QuantizeOptions& options) {
  return options.hard_activations == HardActivations::integer && !options.npu.enabled &&
         !options.power_of_two && !options.int16_scale;
}

std::optional<HardGate> integer_gate(const PlanView& view, int node) {
  if (!has_integer_hard_activations(view.options)) return std::nullopt;
  const Node& at = view.node(node);
  const NodePlan& planned = view.planned(node);
  // An int8 tensor with two readers would stay int8, and the layer that writes it would run in
  // float.
  if (!planned.quantized || planned.activation != DataType::uint8) return std::nullopt;
  if (at.is("HardSwish")) return HardGate{.slope = 1.0F / 6, .offset = 3};
  if (!at.is("HardSigmoid")) return std::nullopt;
  const float slope = at.float_attribute("alpha", 0.2F);
  const float shift = at.float_attribute("beta", 0.5F);
  if (slope <= 0 || shift <= 0) return std::nullopt;
  return HardGate{.slope = slope, .offset = shift / slope};
}

bool saturates_like_gate(const TensorParams& params) {
  const auto [low, high] = integer_limits(params.type, false, false);
  if (params.scales.size() != 1 || params.zero_points.front() != low) return false;
  constexpr float kOneStepOfFloat = 1 + 1e-6F;
  return static_cast<float>(high - low) * params.scales.front() <= kOneStepOfFloat;
}

}  // namespace quantsearch
