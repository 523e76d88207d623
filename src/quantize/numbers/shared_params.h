#pragma once

// The parameters of activations and constant operands as rules across operators see them: tensors
// on both sides of data movement have one set of parameters, and a node's output is the tensor
// whose pair holds what it computes.

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
  /// Adds the constant operands of quantized nodes to `activations`. Both must outlive this.
  SharedParams(const PlanView& view, Activations& activations);

  /// Null when the tensor carries no pair.
  [[nodiscard]] const TensorParams* find(const std::string& tensor) const;
  /// Gives `tensor` and all that share its parameters the scale and zero point of `params`; false
  /// when they have them already. Throws InvalidInput, naming `rule`, when an override fixes the
  /// scale of one.
  bool set(const std::string& tensor, const TensorParams& params, const std::string& rule);
  /// Tensors that share the parameters of `tensor`, itself among them.
  [[nodiscard]] const std::vector<std::string>& sharing(const std::string& tensor) const;

  /// Quantized activations and constants that the node computes with, each once.
  [[nodiscard]] std::vector<std::string> inputs_of(int node) const;
  /// Behind a bias, a follower or a clamp; nullopt when the result stays float.
  [[nodiscard]] std::optional<std::string> output_of(int node) const;
  /// The node that works on what `node` computes before it is quantized: a bias, a follower.
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
