#pragma once

// Reads tensors from protobuf in every encoding that the format allows, except segments, and writes
// them as raw bytes (or strings).

#include <onnx/onnx_pb.h>

#include <string>

#include "model/external_files.h"
#include "quantsearch/tensor.h"

namespace quantsearch::model_io {

/// Takes type, shape and values out of `proto` (raw bytes are moved, external ones mapped) and
/// leaves in it only what a Tensor does not hold: name, doc_string, metadata, unknown fields.
/// `what` names the tensor in messages.
[[nodiscard]] Tensor take_tensor(onnx::TensorProto& proto, ExternalFiles& files,
                                 const std::string& what);

/// Sets type and shape, and the values of a string tensor. The caller stores the bytes of other
/// tensors.
void put_tensor_header(const Tensor& tensor, onnx::TensorProto& proto);
void put_raw_data(const Tensor& tensor, onnx::TensorProto& proto);

}  // namespace quantsearch::model_io
