#pragma once

// What a session takes and gives, worked out once when it is opened: the inputs to check a run
// against, and how each tap is served.

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
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

  /// The inputs as the model takes them. float16 and bfloat16 values become float32 where the model
  /// takes that: it may be the float32 form of a model whose data are float16. Throws InvalidInput
  /// showing what the run got and what the model takes.
  [[nodiscard]] Batch fitted(Batch inputs) const;

  /// Inner tensors made by nodes that are tapped and not graph outputs already, once each.
  [[nodiscard]] const std::vector<std::string>& inner_taps() const noexcept { return inner_taps_; }
  /// True for graph outputs and taps that add_outer_values gives: graph inputs and initializers.
  [[nodiscard]] bool is_outer(std::string_view name) const;
  /// True for what follows from initializers alone.
  [[nodiscard]] bool is_constant(std::string_view name) const { return constants_.contains(name); }
  /// Adds the outputs and taps that no node makes: graph inputs (when given) and initializers. The
  /// runtime's own values of them lie in the memory of the inputs or of the session, which an
  /// output may outlive.
  void add_outer_values(const Batch& inputs, Batch& outputs) const;

 private:
  struct Input {
    ValueInfo value;
    bool is_optional = false;  // also an initializer, which holds unless a run gives another value
  };
  [[nodiscard]] std::string describe_inputs() const;
  void check(const Batch& inputs) const;

  std::vector<Input> inputs_;
  std::vector<std::string> inner_taps_;
  std::vector<std::string> outer_inputs_;
  std::map<std::string, std::shared_ptr<const Tensor>, std::less<>> outer_initializers_;
  std::set<std::string, std::less<>> constants_;
};

/// The model with `taps` among its graph outputs.
[[nodiscard]] Model with_outputs(Model model, const std::vector<std::string>& taps);

}  // namespace quantsearch
