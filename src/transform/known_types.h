#pragma once

// Determines the types and shapes of a model's tensors with libonnx and, where that is not enough,
// with ONNX Runtime.

#include "quantsearch/model.h"

namespace quantsearch {

/// infer_shapes(), then the types that ONNX Runtime finds for tensors whose type is still unknown.
/// What neither finds stays unknown, also when ONNX Runtime cannot load the model yet.
[[nodiscard]] Model with_known_types(Model model);

}  // namespace quantsearch
