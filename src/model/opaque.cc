#include "model/opaque.h"

#include <fmt/core.h>
#include <google/protobuf/descriptor.h>
#include <onnx/onnx_pb.h>

#include "model/tensor_proto.h"
#include "quantsearch/base/error.h"

namespace quantsearch::model_io {

std::string serialize_rest(const google::protobuf::Message& message) {
  return message.SerializeAsString();
}

void parse_rest(const std::string& bytes, google::protobuf::Message& message) {
  if (!message.ParseFromString(bytes)) {
    throw InternalError(fmt::format("a kept {} does not parse", message.GetTypeName()));
  }
}

void inline_external_tensors(google::protobuf::Message& message, ExternalFiles& files,
                             const std::string& what) {
  if (auto* const tensor = dynamic_cast<onnx::TensorProto*>(&message)) {
    if (tensor->data_location() != onnx::TensorProto::EXTERNAL) return;
    const Tensor values = take_tensor(*tensor, files, what);
    put_tensor_header(values, *tensor);
    put_raw_data(values, *tensor);
    return;
  }
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const google::protobuf::FieldDescriptor* field : fields) {
    if (field->cpp_type() != google::protobuf::FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!field->is_repeated()) {
      inline_external_tensors(*reflection.MutableMessage(&message, field), files, what);
      continue;
    }
    for (int index = 0; index < reflection.FieldSize(message, field); ++index) {
      inline_external_tensors(*reflection.MutableRepeatedMessage(&message, field, index), files,
                              what);
    }
  }
}

}  // namespace quantsearch::model_io
