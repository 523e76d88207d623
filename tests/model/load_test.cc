#include <fmt/core.h>
#include <gtest/gtest.h>

#include <filesystem>
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

/// load_error() is the message of load_model for a file with this content.
class LoadModel : public ::testing::Test {
 protected:
  std::string load_error(const std::string& content) {
    write_file_atomically(file_, content);
    try {
      (void)load_model(file_);
    } catch (const InvalidInput& error) {
      return error.what();
    }
    return "";
  }

  TemporaryFolder folder_;
  std::filesystem::path file_ = folder_.path() / "model.onnx";
  std::string name_ = fmt::format("load: model '{}': ", file_.string());
};

std::string small_model_bytes() {
  testing::ModelBuilder builder;
  const std::string input = builder.input("x", {1, 4});
  builder.output(builder.node("Relu", {input}), {1, 4});
  return serialize_model(builder.build());
}

TEST_F(LoadModel, AMissingFileIsNamed) {
  try {
    (void)load_model(file_);
    FAIL();
  } catch (const InvalidInput& error) {
    EXPECT_EQ(error.what(), fmt::format("load: file '{}' does not exist, expected an .onnx model",
                                        file_.string()));
  }
}

TEST_F(LoadModel, AFolderIsNoModel) {
  try {
    (void)load_model(folder_.path());
    FAIL();
  } catch (const InvalidInput& error) {
    EXPECT_EQ(error.what(),
              fmt::format("load: '{}' is a folder, expected a file", folder_.path().string()));
  }
}

TEST_F(LoadModel, AnEmptyFileIsRefused) {
  EXPECT_EQ(load_error(""), name_ + "it is empty, expected an ONNX model; copy or export it again");
}

TEST_F(LoadModel, ATruncatedModelIsDistinguishedFromAnotherFormat) {
  const std::string bytes = small_model_bytes();
  EXPECT_EQ(load_error(bytes.substr(0, bytes.size() - 20)),
            fmt::format("{}it is truncated after {} bytes, expected the whole of an ONNX model; "
                        "copy or export it again",
                        name_, bytes.size() - 20));
  EXPECT_EQ(load_error("PK\003\004 this is a zip archive"),
            name_ + "it is not an ONNX model (its 26 bytes do not parse); export it as ONNX");
}

TEST_F(LoadModel, EveryTruncationIsRefused) {
  const std::string bytes = small_model_bytes();
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_NE(load_error(bytes.substr(0, length)), "") << length;
  }
}

TEST_F(LoadModel, BytesThatHappenToParseNeedAGraph) {
  EXPECT_EQ(load_error(std::string("\x08\x07", 2)), name_ + "it is not an ONNX model (no graph)");
}

TEST(LoadChecks, OpsetsOutsideTheKnownRangeAreRefused) {
  onnx::ModelProto proto = text_model("");
  proto.mutable_opset_import(0)->set_version(6);
  EXPECT_EQ(
      parse_error(proto),
      "load: model in memory: the model uses opset 6, expected 7 to 24; export it again with a "
      "newer opset");
  proto.mutable_opset_import(0)->set_version(99);
  EXPECT_EQ(
      parse_error(proto),
      "load: model in memory: the model uses opset 99, expected 7 to 24; export it again with "
      "an older opset");
  proto.clear_opset_import();
  EXPECT_EQ(parse_error(proto), "load: model in memory: the model imports no operator set");
}

TEST(LoadChecks, AnOpsetThatNoOperatorUsesIsNotChecked) {
  onnx::ModelProto proto = text_model(
      "input { name: 'x' } output { name: 'y' } node { op_type: 'Scaler' domain: 'ai.onnx.ml' "
      "input: 'x' output: 'y' }");
  proto.mutable_opset_import(0)->set_version(1);
  proto.add_opset_import()->set_domain("ai.onnx.ml");
  proto.mutable_opset_import(1)->set_version(1);
  EXPECT_EQ(parse_error(proto), "");
}

TEST(LoadChecks, ADomainImportedAtTwoVersionsIsRefused) {
  onnx::ModelProto proto = text_model("");
  proto.add_opset_import()->set_domain("ai.onnx");
  proto.mutable_opset_import(1)->set_version(13);
  EXPECT_EQ(parse_error(proto),
            "load: model in memory: the model imports domain 'ai.onnx' at versions 17 and 13");
}

TEST(LoadChecks, ACycleIsShown) {
  EXPECT_EQ(parse_error(
                text_model("input { name: 'x' }"
                           "node { op_type: 'Add' name: 'a' input: 'x' input: 'c' output: 'b' }"
                           "node { op_type: 'Mul' name: 'm' input: 'b' input: 'x' output: 'c' }")),
            "load: model in memory: graph 'g' has a cycle: Add 'a' -> Mul 'm' -> Add 'a', expected "
            "none; export the model again");
}

TEST(LoadChecks, ANodeThatReadsItselfIsACycle) {
  EXPECT_EQ(parse_error(text_model("node { op_type: 'Relu' input: 'y' output: 'y' }")),
            "load: model in memory: graph 'g' has a cycle: Relu #0 -> Relu #0, expected none; "
            "export the model again");
}

TEST(LoadChecks, ADanglingInputIsNamed) {
  EXPECT_EQ(
      parse_error(text_model("node { op_type: 'Relu' name: 'r' input: 'nowhere' output: 'y' }")),
      "load: model in memory: input 'nowhere' of Relu 'r' in graph 'g' is made by no node, input "
      "or initializer, expected one of them; export the model again");
}

TEST(LoadChecks, ADanglingOutputIsNamed) {
  EXPECT_EQ(parse_error(text_model("output { name: 'nowhere' }")),
            "load: model in memory: output 'nowhere' of graph 'g' is made by no node, input or "
            "initializer, expected one of them; export the model again");
}

TEST(LoadChecks, DuplicateNamesOfEveryKindAreRefused) {
  const std::string tensor = "initializer { name: 'x' data_type: 1 float_data: 1 } ";
  EXPECT_EQ(parse_error(text_model("input { name: 'x' } input { name: 'x' }")),
            "load: model in memory: name 'x' is defined twice in graph 'g', the second time by an "
            "input; give one of the two another name");
  EXPECT_EQ(parse_error(text_model(tensor + tensor)),
            "load: model in memory: name 'x' is defined twice in graph 'g', the second time by an "
            "initializer; give one of the two another name");
  EXPECT_EQ(parse_error(text_model("input { name: 'x' }" + tensor + tensor)),
            "load: model in memory: name 'x' is defined twice in graph 'g', the second time by an "
            "initializer; give one of the two another name");
  EXPECT_EQ(parse_error(text_model(tensor + "node { op_type: 'Relu' input: 'x' output: 'x' }")),
            "load: model in memory: name 'x' is defined twice in graph 'g', the second time by "
            "Relu #0; give one of the two another name");
}

TEST(LoadChecks, AnInitializerMayGiveAnInputItsDefault) {
  EXPECT_EQ(parse_error(text_model(
                "input { name: 'x' } initializer { name: 'x' data_type: 1 float_data: 1 }")),
            "");
}

TEST(LoadChecks, NodesOutOfOrderArePutInOrder) {
  const Model model =
      parse_proto(text_model("input { name: 'x' } output { name: 'z' }"
                             "node { op_type: 'Abs' input: 'y' output: 'z' }"
                             "node { op_type: 'Relu' input: 'x' output: 'y' }"));
  EXPECT_EQ(model.graph.nodes[0].op_type, "Relu");
  EXPECT_EQ(model.graph.nodes[1].op_type, "Abs");
}

// Exporters write -1 for an open axis; as a size it would reach messages and shape arithmetic.
TEST(LoadChecks, ANegativeDimensionIsOpen) {
  const Model model = parse_proto(text_model(
      "input { name: 'x' type { tensor_type { elem_type: 1 shape { dim { dim_value: -1 } dim { "
      "dim_value: 3 } dim { dim_value: 0 } dim { dim_param: 'N' } } } } } output { name: 'x' }"));
  ASSERT_TRUE(model.graph.inputs[0].dimensions);
  EXPECT_EQ(*model.graph.inputs[0].dimensions,
            (std::vector<Dimension>{{.size = std::nullopt, .symbol = ""},
                                    {.size = 3, .symbol = ""},
                                    {.size = 0, .symbol = ""},
                                    {.size = std::nullopt, .symbol = "N"}}));
  EXPECT_EQ(to_string(model.graph.inputs[0]), "float32 [?, 3, 0, N]");
  // It is written back as it was read, so a comparison of the two models finds the same shapes.
  onnx::ModelProto again;
  ASSERT_TRUE(again.ParseFromString(serialize_model(model)));
  const auto& written = again.graph().input(0).type().tensor_type().shape();
  EXPECT_EQ(written.dim(0).dim_value(), -1);
  EXPECT_FALSE(written.dim(3).has_dim_value());
}

std::string if_model(const std::string& then_graph) {
  return "input { name: 'c' } input { name: 'x' } node { op_type: 'If' name: 'i' input: 'c' "
         "output: 'y' "
         "attribute { name: 'then_branch' type: GRAPH g { name: 'then' " +
         then_graph +
         " } } attribute { name: 'else_branch' type: GRAPH g { name: 'else' node { op_type: 'Abs' "
         "input: 'x' output: 't' } output { name: 't' } } } } output { name: 'y' }";
}

TEST(LoadChecks, ASubgraphMayReadOuterTensors) {
  EXPECT_EQ(parse_error(text_model(
                if_model("node { op_type: 'Relu' input: 'x' output: 't' } output { name: 't' }"))),
            "");
}

TEST(LoadChecks, ASubgraphMayDefineAnOuterNameAgain) {
  EXPECT_EQ(parse_error(text_model(
                if_model("node { op_type: 'Relu' input: 'x' output: 'c' } output { name: 'c' }"))),
            "");
}

TEST(LoadChecks, ADanglingInputInASubgraphIsNamed) {
  EXPECT_EQ(parse_error(text_model(
                if_model("node { op_type: 'Relu' input: 'q' output: 't' } output { name: 't' }"))),
            "load: model in memory: input 'q' of Relu #0 in graph 'then' is made by no node, input "
            "or initializer, expected one of them; export the model again");
}

TEST(LoadChecks, ASubgraphThatReadsItsOwnNodeIsACycle) {
  EXPECT_EQ(parse_error(text_model(
                if_model("node { op_type: 'Relu' input: 'y' output: 't' } output { name: 't' }"))),
            "load: model in memory: graph 'g' has a cycle: If 'i' -> If 'i', expected none; export "
            "the model again");
}

TEST(LoadChecks, AnAttributeGivenTwiceIsRefused) {
  EXPECT_EQ(
      parse_error(text_model(
          "input { name: 'x' } node { op_type: 'Elu' name: 'e' input: 'x' output: 'y' attribute "
          "{ name: 'alpha' type: FLOAT f: 1 } attribute { name: 'alpha' type: FLOAT f: 2 } }")),
      "load: model in memory: Elu 'e' has attribute 'alpha' twice");
}

TEST(LoadTensor, ReadsATensorFileWithItsName) {
  const TemporaryFolder folder;
  onnx::TensorProto proto;
  proto.set_name("x");
  proto.set_data_type(onnx::TensorProto::FLOAT);
  proto.add_dims(2);
  proto.add_float_data(1);
  proto.add_float_data(2);
  write_file_atomically(folder.path() / "input_0.pb", proto.SerializeAsString());
  const NamedTensor loaded = load_tensor(folder.path() / "input_0.pb");
  EXPECT_EQ(loaded.name, "x");
  EXPECT_EQ(loaded.tensor, Tensor::of<float>({2}, {1, 2}));
}

}  // namespace
}  // namespace quantsearch
