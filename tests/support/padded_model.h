#pragma once

// A model that ONNX Runtime 1.29 loads and cannot run, once it is quantized.

#include "quantsearch/model.h"
#include "quantsearch/tensor.h"

namespace quantsearch::testing {

/// Conv -> Conv -> Relu -> Pad -> Conv -> Conv. The axes of the Pad are an output, so that
/// simplification leaves them computed: the runtime's layout optimization then breaks the Pad
/// between integer kernels.
[[nodiscard]] Model padded_between_convolutions();
/// Four samples of its input `x`.
[[nodiscard]] Tensor padded_input();

}  // namespace quantsearch::testing
