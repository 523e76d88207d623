#pragma once

// Models written as protobuf text, the only way to write what the library itself never writes.

#include <onnx/onnx_pb.h>

#include <string>

#include "quantsearch/model.h"

namespace quantsearch::testing {

/// A model of IR version 8 and opset 17 with the graph of this text.
[[nodiscard]] onnx::ModelProto text_model(const std::string& graph_text);
[[nodiscard]] Model parse_proto(const onnx::ModelProto& proto,
                                const std::filesystem::path& folder = {});
/// The message of the InvalidInput or Unsupported that parsing gives; "" when there is none.
[[nodiscard]] std::string parse_error(const onnx::ModelProto& proto,
                                      const std::filesystem::path& folder = {});

}  // namespace quantsearch::testing
