#include "model/canonical_proto.h"

#include <fmt/core.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/text_format.h>

#include <algorithm>
#include <cstring>

namespace quantsearch::testing {

namespace {

template <typename T, typename Field>
void append(const Field& field, std::string& bytes) {
  for (const auto wide : field) {
    const auto value = static_cast<T>(wide);
    bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
}

/// Does not share code with the library's reader; follows the comments in onnx.proto.
void to_raw(onnx::TensorProto& tensor) {
  std::string bytes;
  append<float>(tensor.float_data(), bytes);
  append<double>(tensor.double_data(), bytes);
  append<std::int64_t>(tensor.int64_data(), bytes);
  if (tensor.data_type() == onnx::TensorProto::UINT32) {
    append<std::uint32_t>(tensor.uint64_data(), bytes);
  } else {
    append<std::uint64_t>(tensor.uint64_data(), bytes);
  }
  switch (tensor.data_type()) {
    case onnx::TensorProto::INT32:
      append<std::int32_t>(tensor.int32_data(), bytes);
      break;
    case onnx::TensorProto::INT16:
    case onnx::TensorProto::UINT16:
    case onnx::TensorProto::FLOAT16:
    case onnx::TensorProto::BFLOAT16:
      append<std::uint16_t>(tensor.int32_data(), bytes);
      break;
    default:
      append<std::uint8_t>(tensor.int32_data(), bytes);
  }
  tensor.clear_float_data();
  tensor.clear_double_data();
  tensor.clear_int64_data();
  tensor.clear_uint64_data();
  tensor.clear_int32_data();
  if (!bytes.empty()) tensor.set_raw_data(bytes);
  if (tensor.raw_data().empty()) tensor.clear_raw_data();
}

bool is_default(const google::protobuf::Message& message,
                const google::protobuf::FieldDescriptor& field) {
  using Descriptor = google::protobuf::FieldDescriptor;
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  switch (field.cpp_type()) {
    case Descriptor::CPPTYPE_STRING:
      return reflection.GetString(message, &field).empty();
    case Descriptor::CPPTYPE_INT32:
      return reflection.GetInt32(message, &field) == 0;
    case Descriptor::CPPTYPE_ENUM:
      return reflection.GetEnumValue(message, &field) == 0;
    default:
      return false;
  }
}

void fill_type(onnx::AttributeProto& attribute) {
  if (attribute.type() != onnx::AttributeProto::UNDEFINED || attribute.has_ref_attr_name()) return;
  if (attribute.has_f()) attribute.set_type(onnx::AttributeProto::FLOAT);
  if (attribute.has_i()) attribute.set_type(onnx::AttributeProto::INT);
  if (attribute.has_s()) attribute.set_type(onnx::AttributeProto::STRING);
  if (attribute.has_t()) attribute.set_type(onnx::AttributeProto::TENSOR);
  if (attribute.has_g()) attribute.set_type(onnx::AttributeProto::GRAPH);
  if (attribute.floats_size() > 0) attribute.set_type(onnx::AttributeProto::FLOATS);
  if (attribute.ints_size() > 0) attribute.set_type(onnx::AttributeProto::INTS);
  if (attribute.strings_size() > 0) attribute.set_type(onnx::AttributeProto::STRINGS);
}

void normalise(google::protobuf::Message& message) {
  if (auto* const tensor = dynamic_cast<onnx::TensorProto*>(&message)) to_raw(*tensor);
  if (auto* const attribute = dynamic_cast<onnx::AttributeProto*>(&message)) fill_type(*attribute);
  if (auto* const node = dynamic_cast<onnx::NodeProto*>(&message);
      node != nullptr && node->domain() == "ai.onnx") {
    node->clear_domain();
  }
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const google::protobuf::FieldDescriptor* field : fields) {
    const bool is_message = field->cpp_type() == google::protobuf::FieldDescriptor::CPPTYPE_MESSAGE;
    if (!field->is_repeated()) {
      if (is_message) normalise(*reflection.MutableMessage(&message, field));
      // A string or number of an attribute or a dimension is a value even when it is empty or zero.
      const bool is_value = field->containing_oneof() != nullptr ||
                            field->containing_type()->name() == "AttributeProto";
      if (!is_value && is_default(message, *field)) reflection.ClearField(&message, field);
      continue;
    }
    for (int index = 0; is_message && index < reflection.FieldSize(message, field); ++index) {
      normalise(*reflection.MutableRepeatedMessage(&message, field, index));
    }
  }
}

}  // namespace

onnx::ModelProto canonical(onnx::ModelProto model) {
  for (auto& opset : *model.mutable_opset_import()) {
    if (opset.domain() == "ai.onnx") opset.clear_domain();
  }
  normalise(model);
  std::ranges::sort(*model.mutable_opset_import(), {},
                    [](const auto& opset) { return opset.domain(); });
  std::ranges::sort(*model.mutable_metadata_props(), {},
                    [](const auto& entry) { return entry.key(); });
  return model;
}

std::string first_difference(const onnx::ModelProto& left, const onnx::ModelProto& right) {
  if (left.SerializeAsString() == right.SerializeAsString()) return "";
  const std::string left_text = left.DebugString();
  const std::string right_text = right.DebugString();
  const auto [at, other] =
      std::mismatch(left_text.begin(), left_text.end(), right_text.begin(), right_text.end());
  const auto begin =
      static_cast<std::size_t>(std::max<std::ptrdiff_t>(0, at - left_text.begin() - 200));
  return fmt::format("...{}\nbut\n...{}", left_text.substr(begin, 400),
                     right_text.substr(begin, 400));
}

}  // namespace quantsearch::testing
