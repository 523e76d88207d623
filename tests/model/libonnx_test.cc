#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "quantsearch/model.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

std::filesystem::path ocr(const char* file) {
  return std::filesystem::path(QUANTSEARCH_DEPS_DIR) / "ocr" / file;
}

TEST(CheckModel, AcceptsAValidModel) {
  check_model(load_model(std::filesystem::path(QUANTSEARCH_SOURCE_DIR) / "tests" / "data" /
                         "resnet8.onnx"));
}

TEST(CheckModel, GivesTheReasonOfLibonnx) {
  testing::ModelBuilder builder;
  builder.output(builder.node("Frobnicate", {builder.input("x", {1})}), {1});
  try {
    check_model(builder.build_unchecked());
    FAIL();
  } catch (const InvalidInput& error) {
    const std::string message = error.what();
    EXPECT_EQ(message.substr(0, 36), "check: the model is not valid ONNX: ");
    EXPECT_NE(message.find("Frobnicate"), std::string::npos);
    EXPECT_EQ(message.find('\n'), std::string::npos);
  }
}

TEST(CheckModel, AnOutputOfUnknownRankIsValid) {
  testing::ModelBuilder builder;
  builder.output(builder.node("Relu", {builder.input("x", {1})}));
  check_model(builder.build_unchecked());
}

TEST(CheckModel, FindsShapesThatDoNotFit) {
  testing::ModelBuilder builder;
  // The weight is larger than what is copied for libonnx.
  const std::string weight = builder.random_weight("w", {100, 100}, 1, 1);
  builder.output(builder.node("MatMul", {builder.input("x", {1, 99}), weight}), {1, 100});
  EXPECT_THROW(check_model(builder.build_unchecked()), InvalidInput);
}

TEST(InferShapes, FillsInnerTensors) {
  testing::ModelBuilder builder;
  const std::string inner = builder.node("Relu", {builder.input("x", {-1, 3, 8, 8})});
  builder.output(builder.node("GlobalAveragePool", {inner}));
  const Model model = infer_shapes(builder.build_unchecked());
  EXPECT_EQ(to_string(*model.graph.find_value(inner)), "float32 [batch, 3, 8, 8]");
  EXPECT_EQ(to_string(model.graph.outputs[0]), "float32 [batch, 3, 1, 1]")
      << "unknown outputs are filled too";
}

TEST(InferShapes, AStftIsOneSidedByDefault) {
  testing::ModelBuilder builder;
  const std::string length = builder.constant("length", Tensor::scalar(std::int64_t{32}));
  const std::string spectrum = builder.node(
      "STFT", {builder.input("x", {2, 64, 1}),
               builder.constant("step", Tensor::scalar(std::int64_t{16})), "", length});
  builder.output(spectrum);
  const Model model = infer_shapes(builder.build_unchecked());
  EXPECT_EQ(to_string(model.graph.outputs[0]), "float32 [2, 3, 17, 2]");
  EXPECT_TRUE(model.graph.nodes[0].attributes.empty());
}

TEST(InferShapes, UnknownOperatorsAreSkipped) {
  testing::ModelBuilder builder;
  Node unknown;
  unknown.op_type = "Foo";
  unknown.domain = "my.domain";
  unknown.inputs = {builder.input("x", {2})};
  unknown.outputs = {"foo"};
  builder.add(unknown);
  builder.import_domain("my.domain", 1);
  const std::string known = builder.node("Relu", {"x"});
  builder.output(builder.node("Add", {"foo", known}));
  const Model model = infer_shapes(builder.build_unchecked());
  EXPECT_EQ(to_string(*model.graph.find_value(known)), "float32 [2]");
  EXPECT_EQ(model.graph.find_value("foo"), nullptr);
}

TEST(InferShapes, WrongValueInfosAreReplaced) {
  testing::ModelBuilder builder;
  const std::string inner = builder.node("Relu", {builder.input("x", {2, 3})});
  builder.output(builder.node("Abs", {inner}), {2, 3});
  Model model = builder.build_unchecked();
  ValueInfo wrong{.name = inner,
                  .type = DataType::float32,
                  .dimensions = std::vector<Dimension>{},
                  .extra = ""};
  wrong.dimensions->push_back({.size = 7, .symbol = ""});
  model.graph.values.push_back(wrong);
  EXPECT_EQ(to_string(*infer_shapes(model).graph.find_value(inner)), "float32 [2, 3]");
}

TEST(InferShapes, AMissingInputIsAnErrorNotACrash) {
  testing::ModelBuilder builder(12);
  builder.output(builder.node("Resize", {builder.input("x", {1, 1, 2, 2})}, {}, "r"), {1, 1, 2, 2});
  try {
    (void)infer_shapes(builder.build_unchecked());
    FAIL();
  } catch (const InvalidInput& error) {
    EXPECT_STREQ(error.what(), "shape inference: Resize 'r' has 1 inputs, expected at least 3");
  }
}

TEST(InferShapes, AReshapeToAComputedShapeHasTheRankOfItsLength) {
  const Model model = infer_shapes(load_model(ocr("ch_PP-OCRv4_rec_infer.onnx")));
  for (const Node& node : model.graph.nodes) {
    for (const std::string& output : node.outputs) {
      const ValueInfo* const value = model.graph.find_value(output);
      ASSERT_NE(value, nullptr) << output;
      EXPECT_TRUE(value->dimensions) << output;
    }
  }
}

TEST(Versions, AreThoseOfLibonnx) {
  EXPECT_EQ(newest_opset(), 24);
  EXPECT_EQ(ir_version_for_opset(7), 3);
  EXPECT_EQ(ir_version_for_opset(13), 7);
  EXPECT_EQ(ir_version_for_opset(17), 8);
  EXPECT_EQ(ir_version_for_opset(21), 10);
  EXPECT_EQ(ir_version_for_opset(24), 12);
}

}  // namespace
}  // namespace quantsearch
