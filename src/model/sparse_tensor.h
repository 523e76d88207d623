#pragma once

// Reads sparse tensors in protobuf as dense ones, because runtimes and quantizers support no others
// and a pruned weight is quantized like any other weight.

#include <onnx/onnx_pb.h>

#include <string>

#include "model/external_files.h"
#include "quantsearch/tensor.h"

namespace quantsearch::model_io {

/// The dense tensor that `proto` represents: zero (or "") except at the positions of `indices`.
/// Positions are flat, [values], or one row of coordinates for each value, [values, rank].
/// `what` names the tensor in messages. Throws InvalidInput for positions outside the tensor,
/// Unsupported for sub-byte types and for more than 2^31 dense bytes.
[[nodiscard]] Tensor take_dense(onnx::SparseTensorProto& proto, ExternalFiles& files,
                                const std::string& what);

}  // namespace quantsearch::model_io
