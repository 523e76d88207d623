#pragma once

// Constants that the model stores as integers before a DequantizeLinear (weight-only exports,
// quantization-aware training). The rules of this room see their float values as initializers. When
// weights are written, they keep this grid where a kernel accepts it.

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "quantsearch/quantize.h"

namespace quantsearch {

using StoredTensors = std::map<std::string, std::shared_ptr<const QuantizedTensor>, std::less<>>;

/// The model as the rules see it: the output of each DequantizeLinear of constants is also an
/// initializer.
class StoredConstants {
 public:
  /// `model` must outlive this.
  explicit StoredConstants(const Model& model);

  [[nodiscard]] const Model& model() const { return extended_ ? *extended_ : model_; }
  /// The stored tensors by the name of the dequantized tensor.
  [[nodiscard]] const StoredTensors& tensors() const { return tensors_; }

 private:
  const Model& model_;
  std::optional<Model> extended_;  // absent when no constant is stored as integers
  StoredTensors tensors_;
};

}  // namespace quantsearch
