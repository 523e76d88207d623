#pragma once

// The inputs and outputs of a session, determined once when it is opened: the inputs that a run is
// checked against, and where each tap comes from.

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
  /// Throws Unsupported for an input that is not a tensor, InvalidInput for a tap that the graph
  /// does not contain.
  Signature(const Model& model, const std::vector<std::string>& taps);

  /// Returns the inputs with float16 and bfloat16 values converted to float32 where the model takes
  /// float32: the model may be the float32 form of a float16 model, with the same data. Throws
  /// InvalidInput, naming what the run got and what the model takes, when the inputs do not fit.
  [[nodiscard]] Batch fitted(Batch inputs) const;

  /// Tapped tensors that nodes produce and that are not graph outputs already, once each.
  [[nodiscard]] const std::vector<std::string>& inner_taps() const noexcept { return inner_taps_; }
  /// True for the graph outputs and taps that add_outer_values() adds: graph inputs and
  /// initializers.
  [[nodiscard]] bool is_outer(std::string_view name) const;
  /// True for tensors that depend on initializers alone.
  [[nodiscard]] bool is_constant(std::string_view name) const { return constants_.contains(name); }
  /// Adds the outputs and taps that no node produces: graph inputs (when given) and initializers.
  /// The runtime's own values of them lie in the memory of the inputs or of the session, which an
  /// output may outlive.
  void add_outer_values(const Batch& inputs, Batch& outputs) const;

 private:
  struct Input {
    ValueInfo value;
    bool is_optional = false;  // also an initializer, used unless a run gives another value
  };
  [[nodiscard]] std::string describe_inputs() const;
  void check(const Batch& inputs) const;

  std::vector<Input> inputs_;
  std::vector<std::string> inner_taps_;
  std::vector<std::string> outer_inputs_;
  std::map<std::string, std::shared_ptr<const Tensor>, std::less<>> outer_initializers_;
  std::set<std::string, std::less<>> constants_;
};

/// The model with `taps` added to its graph outputs.
[[nodiscard]] Model with_outputs(Model model, const std::vector<std::string>& taps);

}  // namespace quantsearch
