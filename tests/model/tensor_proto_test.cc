#include "model/tensor_proto.h"

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <string>

#include "model/text_model.h"
#include "quantsearch/model.h"

namespace quantsearch {
namespace {

using testing::parse_error;
using testing::text_model;

/// The tensor written as protobuf text.
Tensor read(const std::string& text) {
  onnx::TensorProto proto;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &proto)) << text;
  model_io::ExternalFiles files(std::nullopt);
  return model_io::take_tensor(proto, files, "tensor");
}

std::string error_of(const std::string& tensor_text) {
  const std::string message =
      parse_error(text_model("initializer { name: 'w' " + tensor_text + " }"));
  const std::string stage = "load: model in memory: initializer 'w': ";
  return message.starts_with(stage) ? message.substr(stage.size()) : message;
}

Tensor of_bytes(DataType type, Shape shape, const std::vector<std::uint8_t>& bytes) {
  return Tensor::from_bytes(type, std::move(shape), std::as_bytes(std::span(bytes)));
}

TEST(TensorProto, ReadsRawBytesOfEveryWidth) {
  EXPECT_EQ(read("data_type: 1 dims: 1 raw_data: '\\000\\000\\200\\077'"),
            Tensor::of<float>({1}, {1}));
  EXPECT_EQ(read("data_type: 3 dims: 2 raw_data: '\\001\\377'"),
            Tensor::of<std::int8_t>({2}, {1, -1}));
  EXPECT_EQ(read("data_type: 22 dims: 3 raw_data: '\\041\\003'"),
            of_bytes(DataType::int4, {3}, {0x21, 0x03}));
}

TEST(TensorProto, ReadsTypedFieldsOfEveryType) {
  EXPECT_EQ(read("data_type: 1 dims: 2 float_data: 1.5 float_data: -2"),
            Tensor::of<float>({2}, {1.5F, -2}));
  EXPECT_EQ(read("data_type: 11 dims: 1 double_data: 0.1"), Tensor::of<double>({1}, {0.1}));
  EXPECT_EQ(read("data_type: 7 dims: 1 int64_data: -5"), Tensor::of<std::int64_t>({1}, {-5}));
  EXPECT_EQ(read("data_type: 6 dims: 1 int32_data: -5"), Tensor::of<std::int32_t>({1}, {-5}));
  EXPECT_EQ(read("data_type: 3 dims: 2 int32_data: -128 int32_data: 127"),
            Tensor::of<std::int8_t>({2}, {-128, 127}));
  EXPECT_EQ(read("data_type: 2 dims: 1 int32_data: 200"), Tensor::of<std::uint8_t>({1}, {200}));
  EXPECT_EQ(read("data_type: 5 dims: 1 int32_data: -300"), Tensor::of<std::int16_t>({1}, {-300}));
  EXPECT_EQ(read("data_type: 4 dims: 1 int32_data: 65535"),
            Tensor::of<std::uint16_t>({1}, {65535}));
  EXPECT_EQ(read("data_type: 12 dims: 1 uint64_data: 4294967295"),
            Tensor::of<std::uint32_t>({1}, {4294967295U}));
  EXPECT_EQ(read("data_type: 13 dims: 1 uint64_data: 18446744073709551615"),
            Tensor::of<std::uint64_t>({1}, {~0ULL}));
  EXPECT_EQ(read("data_type: 10 dims: 1 int32_data: 15360"),
            Tensor::of<Float16>({1}, {to_float16(1)}));
  EXPECT_EQ(read("data_type: 16 dims: 1 int32_data: 16256"),
            Tensor::of<BFloat16>({1}, {to_bfloat16(1)}));
  EXPECT_EQ(read("data_type: 9 dims: 2 int32_data: 1 int32_data: 0"),
            of_bytes(DataType::boolean, {2}, {1, 0}));
  EXPECT_EQ(read("data_type: 17 dims: 1 int32_data: 56"),
            of_bytes(DataType::float8e4m3fn, {1}, {56}));
  EXPECT_EQ(read("data_type: 21 dims: 3 int32_data: 33 int32_data: 3"),
            of_bytes(DataType::uint4, {3}, {33, 3}));
  EXPECT_EQ(read("data_type: 14 dims: 1 float_data: 1 float_data: 2").bytes().size(), 8U);
  EXPECT_EQ(read("data_type: 15 dims: 1 double_data: 1 double_data: 2").bytes().size(), 16U);
  EXPECT_EQ(read("data_type: 8 dims: 2 string_data: 'a' string_data: ''"),
            Tensor::of_strings({2}, {"a", ""}));
}

TEST(TensorProto, ReadsScalarsAndEmptyTensors) {
  EXPECT_EQ(read("data_type: 1 float_data: 3"), Tensor::scalar(3.0F));
  EXPECT_EQ(read("data_type: 1 dims: 0"), Tensor(DataType::float32, {0}));
  EXPECT_EQ(read("data_type: 8 dims: 0"), Tensor::of_strings({0}, {}));
}

TEST(TensorProto, FieldsThatATensorDoesNotHoldStayInTheProto) {
  onnx::TensorProto proto;
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(
      "name: 'w' doc_string: 'why' data_type: 1 dims: 1 float_data: 1 metadata_props { key: 'k' "
      "value: 'v' }",
      &proto));
  model_io::ExternalFiles files(std::nullopt);
  (void)model_io::take_tensor(proto, files, "tensor");
  EXPECT_EQ(proto.ShortDebugString(),
            "name: \"w\" doc_string: \"why\" metadata_props { key: \"k\" value: \"v\" }");
}

TEST(TensorProto, AWrongSizeIsAnErrorInEveryEncoding) {
  EXPECT_EQ(
      error_of("data_type: 1 dims: 2 dims: 2 raw_data: '12345678'"),
      "got 8 bytes of raw_data, expected 16 for float32 [2, 2]; fix its shape or export it again");
  EXPECT_EQ(
      error_of("data_type: 1 dims: 2"),
      "got 0 bytes of raw_data, expected 8 for float32 [2]; fix its shape or export it again");
  EXPECT_EQ(error_of("data_type: 1 dims: 2 float_data: 1"),
            "got 1 values in float_data, expected 2 for float32 [2]");
  EXPECT_EQ(error_of("data_type: 11 dims: 1 double_data: 1 double_data: 2"),
            "got 2 values in double_data, expected 1 for float64 [1]");
  EXPECT_EQ(error_of("data_type: 7 dims: 2 int64_data: 1"),
            "got 1 values in int64_data, expected 2 for int64 [2]");
  EXPECT_EQ(error_of("data_type: 6 dims: 2 int32_data: 1"),
            "got 1 values in int32_data, expected 2 for int32 [2]");
  EXPECT_EQ(error_of("data_type: 10 dims: 2 int32_data: 1"),
            "got 1 values in int32_data, expected 2 for float16 [2]");
  EXPECT_EQ(error_of("data_type: 22 dims: 3 int32_data: 1"),
            "got 1 values in int32_data, expected 2 for int4 [3]");
  EXPECT_EQ(error_of("data_type: 12 dims: 2 uint64_data: 1"),
            "got 1 values in uint64_data, expected 2 for uint32 [2]");
  EXPECT_EQ(error_of("data_type: 8 dims: 2 string_data: 'a'"),
            "got 1 values in string_data, expected 2 for string [2]");
}

TEST(TensorProto, ValuesInTheWrongPlaceAreRefused) {
  EXPECT_EQ(error_of("data_type: 1 dims: 1 int32_data: 1"),
            "its values are in int32_data, expected float_data for float32 [1]");
  EXPECT_EQ(error_of("data_type: 1 dims: 1 float_data: 1 raw_data: '1234'"),
            "its values are stored twice, in raw_data and float_data");
  EXPECT_EQ(error_of("data_type: 8 dims: 1 raw_data: 'a'"),
            "a string tensor cannot be stored as raw_data");
}

TEST(TensorProto, UnknownTypesAndShapesAreRefused) {
  EXPECT_EQ(error_of("data_type: 99 dims: 1 raw_data: '1'"), "unknown data type 99");
  EXPECT_EQ(error_of("dims: 1 raw_data: '1'"), "unknown data type 0");
  EXPECT_EQ(error_of("data_type: 1 dims: -1"), "shape [-1] has a negative dimension");
  EXPECT_EQ(error_of("data_type: 1 dims: 4611686018427387904 dims: 2"),
            "shape [4611686018427387904, 2] has more elements than 63 bits can count");
  EXPECT_EQ(error_of("data_type: 1 dims: 1 segment { begin: 0 end: 1 }"),
            "tensors in segments are not supported");
}

TEST(TensorProto, AnAttributesTensorIsNamedByItsNode) {
  EXPECT_EQ(parse_error(text_model(
                "node { op_type: 'Constant' output: 'c' attribute { name: 'value' type: TENSOR t { "
                "data_type: 1 dims: 2 float_data: 1 } } }")),
            "load: model in memory: attribute 'value' of Constant that makes 'c': got 1 values in "
            "float_data, expected 2 "
            "for float32 [2]");
}

}  // namespace
}  // namespace quantsearch
