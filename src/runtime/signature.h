#pragma once

// What a session takes and gives, worked out once when it is opened: the inputs to check a run
// against, and how each tap is served.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "quantsearch/data.h"
#include "quantsearch/model.h"
#include "quantsearch/tensor.h"

namespace quantsearch {

class Signature {
 public:
  /// Throws Unsupported for an input that is not a tensor, InvalidInput for a tap the graph does
  /// not hold.
  Signature(const Model& model, const std::vector<std::string>& taps);

  /// Throws InvalidInput showing what the run got and what the model takes.
  void check_inputs(const Batch& inputs) const;

  /// Inner tensors made by nodes that are tapped and not graph outputs already, once each.
  [[nodiscard]] const std::vector<std::string>& inner_taps() const noexcept { return inner_taps_; }
  /// Adds the taps that no node makes: graph inputs (when given) and initializers.
  void add_outer_taps(const Batch& inputs, Batch& outputs) const;

 private:
  struct Input {
    ValueInfo value;
    bool is_optional = false;  // also an initializer, which holds unless a run gives another value
  };
  [[nodiscard]] std::string describe_inputs() const;

  std::vector<Input> inputs_;
  std::vector<std::string> inner_taps_;
  std::vector<std::string> input_taps_;
  std::map<std::string, std::shared_ptr<const Tensor>> initializer_taps_;
};

/// The model with `taps` among its graph outputs.
[[nodiscard]] Model with_outputs(Model model, const std::vector<std::string>& taps);

}  // namespace quantsearch
