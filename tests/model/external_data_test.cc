#include <fmt/core.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "model/text_model.h"
#include "quantsearch/internal/base/files.h"
#include "quantsearch/model.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

using testing::parse_error;
using testing::parse_proto;
using testing::text_model;

onnx::ModelProto external_model(const std::string& location, const std::string& more,
                                std::int64_t elements = 2) {
  return text_model(fmt::format(
      "initializer {{ name: 'w' data_type: 1 dims: {} data_location: EXTERNAL external_data {{ "
      "key: 'location' value: '{}' }} {} }}",
      elements, location, more));
}

std::string entry(const std::string& key, const std::string& value) {
  return fmt::format("external_data {{ key: '{}' value: '{}' }}", key, value);
}

class ExternalTensors : public ::testing::Test {
 protected:
  ExternalTensors() {
    std::filesystem::create_directory(inside_);
    write_file_atomically(inside_ / "w.bin",
                          std::string("\0\0\x80\x3f\0\0\0\x40\0\0\x40\x40", 12));  // 1, 2, 3
    write_file_atomically(folder_.path() / "secret.bin", "12345678");
  }

  std::string error_of(const onnx::ModelProto& proto) {
    const std::string message = parse_error(proto, inside_);
    const std::string stage = "load: model in memory: initializer 'w': ";
    return message.starts_with(stage) ? message.substr(stage.size()) : message;
  }

  TemporaryFolder folder_;
  std::filesystem::path inside_ = folder_.path() / "model";
};

TEST_F(ExternalTensors, AreReadAtTheirOffset) {
  const Model whole = parse_proto(external_model("w.bin", ""), inside_);
  EXPECT_EQ(*whole.graph.initializers[0].tensor, Tensor::of<float>({2}, {1, 2}));
  const Model part =
      parse_proto(external_model("w.bin", entry("offset", "4") + entry("length", "8")), inside_);
  EXPECT_EQ(*part.graph.initializers[0].tensor, Tensor::of<float>({2}, {2, 3}));
}

TEST_F(ExternalTensors, AtAnUnalignedOffsetAreCopied) {
  write_file_atomically(inside_ / "odd.bin", std::string("x\0\0\x80\x3f", 5));
  const Model model = parse_proto(external_model("odd.bin", entry("offset", "1"), 1), inside_);
  EXPECT_EQ(*model.graph.initializers[0].tensor, Tensor::of<float>({1}, {1}));
}

TEST_F(ExternalTensors, AMissingFileIsNamed) {
  EXPECT_EQ(
      error_of(external_model("gone.bin", "")),
      fmt::format("external file 'gone.bin' is missing from the model's folder '{}'; copy it there",
                  inside_.string()));
}

TEST_F(ExternalTensors, ASubfolderIsInside) {
  std::filesystem::create_directory(inside_ / "sub");
  EXPECT_EQ(error_of(external_model("sub/../w.bin", "")), "");
}

TEST_F(ExternalTensors, NothingOutsideTheFolderIsRead) {
  const auto outside = [&](const std::string& location) {
    return fmt::format(
        "external file '{}' is outside the model's folder '{}', expected a file in it; export the "
        "model again with its data beside it",
        location, inside_.string());
  };
  const std::string absolute = (folder_.path() / "secret.bin").string();
  EXPECT_EQ(error_of(external_model("../secret.bin", "")), outside("../secret.bin"));
  EXPECT_EQ(error_of(external_model("sub/../../secret.bin", "")), outside("sub/../../secret.bin"));
  EXPECT_EQ(error_of(external_model(absolute, "")), outside(absolute));
  std::filesystem::create_symlink(folder_.path() / "secret.bin", inside_ / "link.bin");
  EXPECT_EQ(error_of(external_model("link.bin", "")), outside("link.bin"));
  std::filesystem::create_directory_symlink(folder_.path(), inside_ / "up");
  EXPECT_EQ(error_of(external_model("up/secret.bin", "")), outside("up/secret.bin"));
}

TEST_F(ExternalTensors, AnAbsolutePathIntoTheFolderIsRefusedToo) {
  const std::string absolute = (inside_ / "w.bin").string();
  EXPECT_EQ(error_of(external_model(absolute, "")),
            fmt::format("external file '{}' is outside the model's folder '{}', expected a file in "
                        "it; export the model again with its data beside it",
                        absolute, inside_.string()));
}

TEST_F(ExternalTensors, AFolderWhoseNameBeginsTheSameIsOutside) {
  std::filesystem::create_directory(folder_.path() / "model2");
  write_file_atomically(folder_.path() / "model2" / "w.bin", "12345678");
  EXPECT_NE(error_of(external_model("../model2/w.bin", "")), "");
}

TEST_F(ExternalTensors, WrongLengthsAndOffsetsAreRefused) {
  EXPECT_EQ(error_of(external_model("w.bin", entry("length", "4"))),
            "its external data have 4 bytes, expected 8");
  EXPECT_EQ(error_of(external_model("w.bin", entry("offset", "8"))),
            "external file 'w.bin' has 12 bytes, expected 8 bytes at offset 8; copy it again");
  EXPECT_EQ(error_of(external_model("w.bin", entry("offset", "9223372036854775807"))),
            "external file 'w.bin' has 12 bytes, expected 8 bytes at offset 9223372036854775807; "
            "copy it again");
  EXPECT_EQ(error_of(external_model("w.bin", "", 4)),
            "external file 'w.bin' has 12 bytes, expected 16 bytes at offset 0; copy it again");
  EXPECT_EQ(error_of(external_model("w.bin", entry("offset", "-4"))),
            "external data offset is '-4', expected a number of bytes");
  EXPECT_EQ(error_of(external_model("w.bin", entry("length", "8x"))),
            "external data length is '8x', expected a number of bytes");
  EXPECT_EQ(error_of(external_model("", "")), "its external data name no file");
}

TEST_F(ExternalTensors, AreRefusedForBytesWithoutAFolder) {
  EXPECT_EQ(parse_error(external_model("w.bin", "")),
            "load: model in memory: initializer 'w': its data are in external file 'w.bin', but "
            "the model was given as "
            "bytes without a folder; load it from its file");
}

TEST_F(ExternalTensors, AreInlinedWhereAValueIsKeptSerialized) {
  onnx::ModelProto proto = text_model(
      "node { op_type: 'Foo' domain: 'my.domain' attribute { name: 'list' type: TENSORS } }");
  onnx::TensorProto& tensor =
      *proto.mutable_graph()->mutable_node(0)->mutable_attribute(0)->add_tensors();
  tensor = external_model("w.bin", "").graph().initializer(0);
  const std::string saved = serialize_model(parse_proto(proto, inside_));
  onnx::ModelProto again;
  ASSERT_TRUE(again.ParseFromString(saved));
  const onnx::TensorProto& kept = again.graph().node(0).attribute(0).tensors(0);
  EXPECT_EQ(kept.raw_data().size(), 8U);
  EXPECT_EQ(kept.external_data_size(), 0);
}

/// A 3 GB weight in a file with a hole. It is mapped, so it takes neither disk space nor memory.
TEST_F(ExternalTensors, AreMappedNotRead) {
  constexpr std::int64_t kBytes = std::int64_t{3} << 30;
  const std::filesystem::path file = inside_ / "huge.bin";
  std::ofstream(file).close();
  ASSERT_EQ(::truncate(file.c_str(), kBytes), 0);
  const Model model = parse_proto(external_model("huge.bin", "", kBytes / 4), inside_);
  EXPECT_EQ(weight_bytes(model.graph), kBytes);
  EXPECT_EQ(model.graph.initializers[0].tensor->values<float>().back(), 0.0F);
  EXPECT_THROW((void)serialize_model(model), InvalidInput);
}

}  // namespace
}  // namespace quantsearch
