#pragma once

// The parameters of activations and constant operands for the rules across operators. Tensors on
// both sides of data movement share one set of parameters, and the output of a node is the tensor
// whose pair quantizes its result.

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "quantize/numbers/activations.h"
#include "quantize/placement/plan_view.h"
#include "quantsearch/quantize.h"

namespace quantsearch {

class SharedParams {
 public:
  /// Adds the constant operands of quantized nodes to `activations`. Both arguments must outlive
  /// the object.
  SharedParams(const PlanView& view, Activations& activations);

  /// Null when the tensor carries no pair.
  [[nodiscard]] const TensorParams* find(const std::string& tensor) const;
  /// Gives `tensor`, and all tensors that share its parameters, the scale and zero point of
  /// `params`. Returns false when they have them already. Throws InvalidInput, with the name of
  /// `rule`, when an override fixes the scale of one of them.
  bool set(const std::string& tensor, const TensorParams& params, const std::string& rule);
  /// Tensors that share the parameters of `tensor`, including `tensor`.
  [[nodiscard]] const std::vector<std::string>& sharing(const std::string& tensor) const;

  /// The quantized activations and constants that the node reads, without repetition.
  [[nodiscard]] std::vector<std::string> inputs_of(int node) const;
  /// The tensor whose pair quantizes the result of the node, after its bias, follower or clamp;
  /// nullopt when the result stays float.
  [[nodiscard]] std::optional<std::string> output_of(int node) const;
  /// The node that changes the result of `node` before it is quantized: the Add of a bias, a
  /// follower.
  [[nodiscard]] std::optional<int> continuation_of(int node) const;

 private:
  void join_moved();
  void add_constants();

  const PlanView& view_;
  Activations& activations_;
  std::map<std::string, std::size_t, std::less<>> group_of_;
  std::vector<std::vector<std::string>> groups_;
};

}  // namespace quantsearch
