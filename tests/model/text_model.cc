#include "model/text_model.h"

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

namespace quantsearch::testing {

onnx::ModelProto text_model(const std::string& graph_text) {
  onnx::ModelProto proto;
  const std::string text =
      "ir_version: 8 opset_import { version: 17 } graph { name: 'g' " + graph_text + " }";
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &proto)) << text;
  return proto;
}

Model parse_proto(const onnx::ModelProto& proto, const std::filesystem::path& folder) {
  const std::string bytes = proto.SerializeAsString();
  return parse_model(std::as_bytes(std::span(bytes)), folder);
}

std::string parse_error(const onnx::ModelProto& proto, const std::filesystem::path& folder) {
  try {
    (void)parse_proto(proto, folder);
  } catch (const InvalidInput& error) {
    return error.what();
  } catch (const Unsupported& error) {
    return error.what();
  }
  return "";
}

}  // namespace quantsearch::testing
