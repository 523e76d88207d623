#pragma once

// Does a tensor fit a model's input, and its elements as the input's type.

#include <string>
#include <vector>

#include "quantsearch/model.h"
#include "quantsearch/tensor.h"

namespace quantsearch {

/// What a model can be fed.
struct ModelInputs {
  std::vector<ValueInfo> required;
  std::vector<ValueInfo> optional;  // initializers that are also inputs

  /// Null when the model has no such input.
  [[nodiscard]] const ValueInfo* find(std::string_view name) const;
};
[[nodiscard]] ModelInputs model_inputs(const Model& model);

/// "'a' float32 [batch, 3], 'b' int64 [1]"; "nothing" when empty.
[[nodiscard]] std::string describe_inputs(const ModelInputs& inputs);

/// True when rank and fixed dimensions agree.
[[nodiscard]] bool shape_fits(const Shape& shape, const ValueInfo& input);

/// True when a value of `from` may be given as `to`: among float widths (rounded to the nearest)
/// and among integer widths (when every value fits); otherwise types must be equal.
[[nodiscard]] bool type_fits(DataType from, DataType to);
/// How to mend data of type `from` for an input of type `to`.
[[nodiscard]] std::string way_out_of_type(DataType from, DataType to);

/// `tensor` in the type of the input, type_fits(tensor.type(), type). Throws InvalidInput, with
/// `description` ("array 'x' of 'file.npz'") as its object, when a value does not fit.
[[nodiscard]] Tensor as_type(const Tensor& tensor, DataType type, const std::string& description);

}  // namespace quantsearch
