#pragma once

// Types and shapes of a model's tensors: what libonnx infers, and what ONNX Runtime knows beyond
// it.

#include "quantsearch/model.h"

namespace quantsearch {

/// infer_shapes(); where tensors of unknown type are left, ONNX Runtime is asked for theirs. What
/// neither knows, or a model that ONNX Runtime cannot load yet, stays as it is.
[[nodiscard]] Model with_known_types(Model model);

}  // namespace quantsearch
