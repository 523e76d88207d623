#pragma once

// Converts protobuf to values. Nothing is lost: fields that the value types do not hold go into
// their `extra`.

#include <onnx/onnx_pb.h>

#include "model/external_files.h"
#include "quantsearch/model.h"

namespace quantsearch::model_io {

/// Consumes the proto. Checks its tensors, but not the structure of its graph (see validate.h).
[[nodiscard]] Model read_model(onnx::ModelProto proto, ExternalFiles& files);
[[nodiscard]] Node read_node(onnx::NodeProto proto, ExternalFiles& files);
[[nodiscard]] ValueInfo read_value_info(onnx::ValueInfoProto proto);

/// "ai.onnx" is another spelling of "".
[[nodiscard]] std::string normal_domain(const std::string& domain);

}  // namespace quantsearch::model_io
