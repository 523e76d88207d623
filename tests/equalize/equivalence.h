#pragma once

// What equalization must not change: the values of a model's outputs.

#include "quantsearch/model.h"

namespace quantsearch::testing {

/// Largest |difference| of any output on random inputs in [-1, 2), over its largest |value| or
/// 0.01; infinity when an output is not finite or shapes differ. ONNX Runtime without
/// optimization. Symbolic input sizes become `batch` on the first axis and `size` elsewhere.
[[nodiscard]] double relative_difference(const Model& before, const Model& after,
                                         std::int64_t batch = 2, std::int64_t size = 64);

/// The same on the inputs given.
[[nodiscard]] double relative_difference(const Model& before, const Model& after,
                                         const std::map<std::string, Tensor>& inputs);

/// Initializer `name`, which must be there.
[[nodiscard]] std::vector<float> weights_of(const Model& model, const std::string& name);

}  // namespace quantsearch::testing
