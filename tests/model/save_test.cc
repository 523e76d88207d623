#include <fmt/core.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "model/canonical_proto.h"
#include "model/text_model.h"
#include "quantsearch/internal/base/files.h"
#include "quantsearch/model.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

using testing::parse_proto;
using testing::text_model;

Model weighty_model() {
  testing::ModelBuilder builder;
  const std::string input = builder.input("x", {-1, 64});
  const std::string large = builder.random_weight("large", {64, 64}, 1, 1);
  const std::string odd = builder.random_weight("odd", {64, 7}, 1, 2);
  const std::string small = builder.weight("small", {7}, {1, 2, 3, 4, 5, 6, 7});
  const std::string first = builder.node("MatMul", {input, large});
  builder.output(builder.node("Gemm", {first, odd, small}), {-1, 7});
  return builder.build();
}

onnx::ModelProto proto_of(const std::string& bytes) {
  onnx::ModelProto proto;
  EXPECT_TRUE(proto.ParseFromString(bytes));
  return proto;
}

class SaveModel : public ::testing::Test {
 protected:
  TemporaryFolder folder_;
  std::filesystem::path file_ = folder_.path() / "m.onnx";
  std::filesystem::path data_ = folder_.path() / "m.onnx.data";
};

TEST_F(SaveModel, TheSameModelGivesTheSameBytes) {
  const Model model = weighty_model();
  save_model(model, file_);
  const std::string first = read_file(file_);
  save_model(load_model(file_), file_);
  EXPECT_EQ(read_file(file_), first);
  EXPECT_EQ(serialize_model(model), first);
  EXPECT_FALSE(std::filesystem::exists(data_));
}

TEST_F(SaveModel, ExternalDataComeBackEqualAndAligned) {
  const Model model = weighty_model();
  save_model(model, file_, {.external_data = ExternalData::always});
  EXPECT_EQ(load_model(file_), model);
  const onnx::ModelProto proto = proto_of(read_file(file_));
  const onnx::TensorProto& odd = proto.graph().initializer(1);
  EXPECT_EQ(odd.external_data(0).value(), "m.onnx.data");
  EXPECT_EQ(std::stoll(odd.external_data(1).value()) % 64, 0);
  EXPECT_EQ(odd.external_data(2).value(), std::to_string(64 * 7 * 4));
  EXPECT_EQ(proto.graph().initializer(2).data_location(), onnx::TensorProto::DEFAULT)
      << "small tensors stay inline";
}

TEST_F(SaveModel, ExternalDataAreDeterministic) {
  const Model model = weighty_model();
  save_model(model, file_, {.external_data = ExternalData::always});
  const std::string proto = read_file(file_);
  const std::string data = read_file(data_);
  save_model(model, file_, {.external_data = ExternalData::always});
  EXPECT_EQ(read_file(file_), proto);
  EXPECT_EQ(read_file(data_), data);
}

TEST_F(SaveModel, AModelMayBeSavedOverTheFilesItIsMappedFrom) {
  save_model(weighty_model(), file_, {.external_data = ExternalData::always});
  Model mapped = load_model(file_);
  mapped.metadata["edited"] = "yes";
  save_model(mapped, file_, {.external_data = ExternalData::always});
  EXPECT_EQ(load_model(file_), mapped);
}

TEST_F(SaveModel, AnUnwritableFolderIsAnErrorThatLeavesNothing) {
  const std::filesystem::path nowhere = folder_.path() / "missing" / "m.onnx";
  EXPECT_THROW(save_model(weighty_model(), nowhere), IoError);
  EXPECT_THROW(save_model(weighty_model(), nowhere, {.external_data = ExternalData::always}),
               IoError);
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

/// The tensor is larger than protobuf can hold. It is a view of one small buffer, because only its
/// number of bytes matters here.
TEST_F(SaveModel, MoreThanTwoGigabytesCannotBeInline) {
  Model model = weighty_model();
  static constexpr std::byte kOne[1] = {};
  const std::span<const std::byte> pretended(kOne, std::size_t{1} << 31);
  model.graph.initializers[0].tensor = std::make_shared<const Tensor>(
      Tensor::wrapping(DataType::uint8, {std::int64_t{1} << 31}, nullptr, pretended));
  try {
    save_model(model, file_, {.external_data = ExternalData::never});
    FAIL();
  } catch (const InvalidInput& error) {
    EXPECT_STREQ(
        error.what(),
        "save: the model has 2147485468 bytes of tensors, but protobuf ends at 2147483647; save it "
        "with external data");
  }
  EXPECT_FALSE(std::filesystem::exists(file_));
}

// A graph with everything that the value types do not hold.
constexpr const char* kRichGraph = R"(
  doc_string: 'graph doc'
  node { op_type: 'Foo' domain: 'my.domain' name: 'foo' input: 'x' input: '' output: 'y' output: ''
         doc_string: 'node doc' metadata_props { key: 'k' value: 'v' } overload: 'o'
         attribute { name: 'a' type: INT i: 3 doc_string: 'attribute doc' }
         attribute { name: 'none' type: INTS }
         attribute { name: 't' type: TENSOR t { name: 'inner' data_type: 7 dims: 1 int64_data: 4 } }
         attribute { name: 'list' type: TENSORS tensors { data_type: 1 dims: 1 float_data: 4 } }
         attribute { name: 'type' type: TYPE_PROTO tp { sequence_type { elem_type { tensor_type { elem_type: 1 } } } } } }
  initializer { name: 'w' data_type: 1 dims: 1 float_data: 4 doc_string: 'weight doc' }
  input { name: 'x' doc_string: 'input doc' type { denotation: 'IMAGE' tensor_type { elem_type: 1 shape {
          dim { dim_param: 'N' denotation: 'BATCH' } dim { dim_value: 3 } dim { } } } } }
  input { name: 'seq' type { sequence_type { elem_type { tensor_type { elem_type: 1 } } } } }
  input { name: 'opt' type { optional_type { elem_type { tensor_type { elem_type: 1 } } } } }
  input { name: 'map' type { map_type { key_type: 7 value_type { tensor_type { elem_type: 1 } } } } }
  input { name: 'rankless' type { tensor_type { elem_type: 1 } } }
  input { name: 'typeless' type { tensor_type { } } }
  output { name: 'y' }
  value_info { name: 'scalar' type { tensor_type { elem_type: 1 shape { } } } }
  quantization_annotation { tensor_name: 'y' quant_parameter_tensor_names { key: 'SCALE_TENSOR' value: 'w' } }
  metadata_props { key: 'graph' value: 'g' })";

onnx::ModelProto rich_model() {
  onnx::ModelProto proto = text_model(kRichGraph);
  proto.set_producer_name("somebody");
  proto.set_model_version(12);
  proto.set_doc_string("model doc");
  auto& opset = *proto.add_opset_import();
  opset.set_domain("my.domain");
  opset.set_version(3);
  for (const char* key : {"b", "a", "a"}) {
    auto& metadata = *proto.add_metadata_props();
    metadata.set_key(key);
    metadata.set_value("1");
  }
  onnx::FunctionProto& function = *proto.add_functions();
  function.set_name("Fun");
  function.set_domain("my.domain");
  proto.GetReflection()->MutableUnknownFields(&proto)->AddVarint(900, 5);
  auto& node = *proto.mutable_graph()->mutable_node(0);
  node.GetReflection()->MutableUnknownFields(&node)->AddLengthDelimited(901, "later version");
  return proto;
}

TEST_F(SaveModel, FieldsThatTheValueTypesDoNotHoldAreKept) {
  const onnx::ModelProto original = rich_model();
  const Model model = parse_proto(original);
  const onnx::ModelProto written = proto_of(serialize_model(model));
  EXPECT_EQ(testing::first_difference(testing::canonical(original), testing::canonical(written)),
            "");
  EXPECT_EQ(parse_proto(written), model);
}

TEST_F(SaveModel, ExtrasDoNotOutliveWhatTheyDescribe) {
  Model model = parse_proto(rich_model());
  Node& node = model.graph.nodes[0];
  node.remove_attribute("a");
  node.set_attribute("t", std::int64_t{1});
  model.graph.initializers.clear();
  model.graph.inputs[0].dimensions->pop_back();
  const onnx::ModelProto written = proto_of(serialize_model(model));
  EXPECT_EQ(written.graph().initializer_size(), 0);
  EXPECT_EQ(written.graph().node(0).attribute_size(), 4);
  EXPECT_FALSE(written.graph().node(0).attribute(1).has_t());
  EXPECT_EQ(written.graph().input(0).type().tensor_type().shape().dim_size(), 2);
}

TEST_F(SaveModel, EditsOfAValueInfoReachTheFile) {
  Model model = parse_proto(rich_model());
  ValueInfo& input = model.graph.inputs[0];
  input.dimensions = {
      {.size = 1, .symbol = ""}, {.size = 3, .symbol = ""}, {.size = 8, .symbol = ""}};
  input.type = DataType::float16;
  const Model again = parse_proto(proto_of(serialize_model(model)));
  EXPECT_EQ(to_string(again.graph.inputs[0]), "float16 [1, 3, 8]");
}

TEST(DetachInitializers, LeavesSmallAndInnerTensorsInline) {
  const Model model = weighty_model();
  const DetachedModel detached = detach_initializers(model, 1024);
  ASSERT_EQ(detached.initializers.size(), 2U);
  EXPECT_EQ(detached.initializers[0].tensor, model.graph.initializers[0].tensor)
      << "shared, not copied";
  const onnx::ModelProto proto = proto_of(detached.proto);
  EXPECT_EQ(proto.graph().initializer(0).external_data(0).value(), "large");
  EXPECT_EQ(proto.graph().initializer(0).external_data(1).value(), "0");
  EXPECT_EQ(proto.graph().initializer(0).external_data(2).value(), "16384");
  EXPECT_EQ(proto.graph().initializer(2).raw_data().size(), 28U);
}

TEST(ContentKey, DependsOnEveryPartAndNothingElse) {
  const Model model = weighty_model();
  EXPECT_EQ(content_key(model), content_key(parse_proto(proto_of(serialize_model(model)))));
  Model other = model;
  other.graph.nodes[0].name = "renamed";
  EXPECT_NE(content_key(model), content_key(other));
  other = model;
  Tensor tensor = *model.graph.initializers[0].tensor;
  tensor.mutable_values<float>()[5] = 9;
  other.graph.initializers[0].tensor = std::make_shared<const Tensor>(tensor);
  EXPECT_NE(content_key(model), content_key(other));
  other = model;
  other.metadata["k"] = "v";
  EXPECT_NE(content_key(model), content_key(other));
}

}  // namespace
}  // namespace quantsearch
