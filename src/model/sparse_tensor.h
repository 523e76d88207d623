#pragma once

// Sparse tensors in protobuf are read as dense ones: runtimes and quantizers know no others, and a
// pruned weight is quantized like any weight.

#include <onnx/onnx_pb.h>

#include <string>

#include "model/external_files.h"
#include "quantsearch/tensor.h"

namespace quantsearch::model_io {

/// The dense tensor that `proto` stands for: zero (or "") except where `indices` place a value.
/// Positions are flat, [values], or one row of coordinates for each value, [values, rank].
/// `what` names the tensor in messages. Throws InvalidInput for positions outside the tensor.
[[nodiscard]] Tensor take_dense(onnx::SparseTensorProto& proto, ExternalFiles& files,
                                const std::string& what);

}  // namespace quantsearch::model_io
