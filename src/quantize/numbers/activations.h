#pragma once

// Chooses the scales and zero points of the tensors that carry a pair, and the pairs that are
// written.

#include <map>
#include <set>
#include <string>

#include "quantize/placement/plan_view.h"
#include "quantsearch/quantize.h"

namespace quantsearch {

struct Activations {
  /// Parameters of the constant operands that rules across operators have examined; the others have
  /// constant_params().
  std::map<std::string, TensorParams, std::less<>> constants;
  std::map<std::string, TensorParams, std::less<>> params;  // of every pair that is written
  /// By tensor that a quantizable operator reads or writes, where its values are known: the
  /// difference between the largest and the least value, where zero counts as a value.
  std::map<std::string, double, std::less<>> spans;
  std::map<int, std::string> notes = {};  // by node: which parameters do not follow a rule, and why
  /// The further pairs of tensors that have several, in the order of PairPlan::types.
  std::map<std::string, std::vector<TensorParams>, std::less<>> narrower;
  /// Tensors before a clamp that the pair after the clamp makes redundant.
  std::set<std::string, std::less<>> folded;
  /// The parameters of the pair of `tensor` that readers of this type read; null when there is
  /// none.
  [[nodiscard]] const TensorParams* find(std::string_view tensor, DataType type) const;
};

/// The parameters of each tensor from its own range. Throws InvalidInput for a tensor without one.
[[nodiscard]] Activations own_params(const PlanView& view, const RangesByType& ranges);

/// Applies the rules across operators and finds the clamps that the pairs after them replace.
void settle_params(const PlanView& view, Activations& activations);

/// The type of constants that take the place of activations. It is unsigned at eight bits, because
/// ONNX Runtime turns int8 activations into uint8 and its kernels need equal types of both
/// operands.
[[nodiscard]] DataType constant_type(DataType activation_type);
/// The parameters of a constant operand from its own values.
[[nodiscard]] TensorParams constant_params(const Tensor& constant, DataType activation_type,
                                           const QuantizeOptions& options);
/// The same with the user's override of the initializer `name`.
[[nodiscard]] TensorParams constant_params(const std::string& name, const Tensor& constant,
                                           DataType activation_type,
                                           const QuantizeOptions& options);

/// Lowers the scale of a tensor that a Clip bounds when rounding would make its range end slightly
/// above the bound.
void end_at_bound(TensorParams& params, const Bounds& bounds, PowerOfTwoRounding rounding);

/// True when quantizing with `params` already clips to `bounds`, so that the clamp is redundant.
[[nodiscard]] bool makes_redundant(const TensorParams& params, const Bounds& bounds);

}  // namespace quantsearch
