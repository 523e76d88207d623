#pragma once

// Scales and zero points of the tensors that carry a pair, and which pairs are written.

#include <map>
#include <set>
#include <string>

#include "quantize/placement/plan_view.h"
#include "quantsearch/quantize.h"

namespace quantsearch {

struct Activations {
  /// Of constant operands that rules across operators looked at; others have constant_params.
  std::map<std::string, TensorParams, std::less<>> constants;
  std::map<std::string, TensorParams, std::less<>> params;  // of every pair that is written
  /// Of the values of each tensor that a rule's operator reads or writes, where they are known:
  /// from the least to the largest, zero included.
  std::map<std::string, double, std::less<>> spans;
  std::map<int, std::string> notes = {};  // by node: parameters that did not follow a rule, and why
  /// The further pairs of tensors that have several, in the order of PairPlan::types.
  std::map<std::string, std::vector<TensorParams>, std::less<>> narrower;
  std::set<std::string, std::less<>>
      folded;  // before a clamp that the pair behind it makes redundant
  /// Of the pair of `tensor` that readers of this type take; null when there is none.
  [[nodiscard]] const TensorParams* find(std::string_view tensor, DataType type) const;
};

/// Of each tensor from its own range. Throws InvalidInput for a tensor without one.
[[nodiscard]] Activations own_params(const PlanView& view, const RangesByType& ranges);

/// What rules across operators make of them, and the clamps that the pairs behind them replace.
void settle_params(const PlanView& view, Activations& activations);

/// Type of constants that stand in for activations: unsigned at eight bits, because ONNX Runtime
/// turns int8 activations into uint8 and its kernels want both operands alike.
[[nodiscard]] DataType constant_type(DataType activation_type);
/// Parameters of a constant operand, from its own values.
[[nodiscard]] TensorParams constant_params(const Tensor& constant, DataType activation_type,
                                           const QuantizeOptions& options);
/// The same with what the user asks for the initializer `name`.
[[nodiscard]] TensorParams constant_params(const std::string& name, const Tensor& constant,
                                           DataType activation_type,
                                           const QuantizeOptions& options);

/// Lowers the scale of a tensor that a Clip bounds when its range would end a hair above the bound.
void end_at_bound(TensorParams& params, const Bounds& bounds, PowerOfTwoRounding rounding);

/// True when quantizing with `params` already clips to `bounds`, so that the clamp changes nothing.
[[nodiscard]] bool makes_redundant(const TensorParams& params, const Bounds& bounds);

}  // namespace quantsearch
