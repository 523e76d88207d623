#pragma once

// Converts values to protobuf, the reverse of proto_read.h. The caller chooses where the bytes of a
// tensor are stored.

#include <onnx/onnx_pb.h>

#include <functional>

#include "quantsearch/model.h"

namespace quantsearch::model_io {

enum class TensorRole {
  initializer,           // of the main graph
  subgraph_initializer,  // of a graph in an attribute
  attribute,
};

/// Stores the bytes of a tensor (not a string tensor) whose `proto` already has name, type and
/// shape.
using StoreBytes =
    std::function<void(const Tensor& tensor, TensorRole role, onnx::TensorProto& proto)>;

/// Puts the bytes into the proto.
void store_inline(const Tensor& tensor, TensorRole role, onnx::TensorProto& proto);

[[nodiscard]] onnx::ModelProto write_model(const Model& model,
                                           const StoreBytes& store = store_inline);
[[nodiscard]] onnx::NodeProto write_node(const Node& node, const StoreBytes& store = store_inline);
[[nodiscard]] onnx::ValueInfoProto write_value_info(const ValueInfo& value);

}  // namespace quantsearch::model_io
