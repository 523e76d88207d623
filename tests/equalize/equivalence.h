#pragma once

// Compares the values of two models' outputs, which equalization must not change.

#include "quantsearch/model.h"
#include "support/model_builder.h"

namespace quantsearch::testing {

/// The relative difference that rounding to float explains in a small model.
inline constexpr double kRounding = 2e-6;
/// The same of scales, which are computed in double.
inline constexpr double kTiny = 1e-12;

/// The model as written, unchecked, with inferred shapes.
[[nodiscard]] Model built(const ModelBuilder& builder);

/// Largest |difference| of any output on random inputs in [-1, 2), relative to the larger of its
/// largest |value| and 0.01; infinity when an output is not finite or shapes differ. Runs ONNX
/// Runtime without optimization. Symbolic input sizes become `batch` on the first axis and `size`
/// elsewhere.
[[nodiscard]] double relative_difference(const Model& before, const Model& after,
                                         std::int64_t batch = 2, std::int64_t size = 64);

/// The same on the given inputs.
[[nodiscard]] double relative_difference(const Model& before, const Model& after,
                                         const std::map<std::string, Tensor>& inputs);

/// The values of initializer `name`, which must exist.
[[nodiscard]] std::vector<float> weights_of(const Model& model, const std::string& name);

}  // namespace quantsearch::testing
