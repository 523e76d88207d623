#pragma once

// Checks whether a tensor fits an input of a model, and converts it to the type of the input.

#include <string>
#include <vector>

#include "quantsearch/model.h"
#include "quantsearch/tensor.h"

namespace quantsearch {

/// The inputs of a model.
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

/// True when values of `from` may be converted to `to`: among float widths (rounded to the nearest)
/// and among integer widths (when every value fits); otherwise the types must be equal.
[[nodiscard]] bool type_fits(DataType from, DataType to);
/// How to correct data of type `from` for an input of type `to`, for messages.
[[nodiscard]] std::string way_out_of_type(DataType from, DataType to);

/// Converts `tensor` to the type of the input; type_fits(tensor.type(), type) must hold. Throws
/// InvalidInput, with `description` ("array 'x' of 'file.npz'") as its object, when a value does
/// not fit.
[[nodiscard]] Tensor as_type(const Tensor& tensor, DataType type, const std::string& description);

}  // namespace quantsearch
