// Tests the form of converted models. That results stay the same is tested with ONNX Runtime
// (tests/runtime).

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "model/text_model.h"
#include "quantsearch/model.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

Attribute attribute(const char* name, Attribute::Payload value) {
  return {.name = name, .value = std::move(value)};
}

/// One node on a float input x, as an unchecked model of an old opset.
Model one_node(std::int64_t opset, const char* op_type, std::vector<Attribute> attributes,
               DataType type = DataType::float32) {
  testing::ModelBuilder builder(opset);
  const std::string input = builder.input("x", {2, 6, 4, 4}, type);
  builder.output(builder.node(op_type, {input}, std::move(attributes), "n"));
  Model model = builder.build_unchecked();
  model.graph.outputs[0].type = type;
  return model;
}

const Tensor& constant_input(const Model& model, const Node& node, std::size_t index) {
  return *model.graph.find_initializer(node.input(index));
}

std::string error_of(const Model& model, std::int64_t version) {
  try {
    (void)convert_opset(model, version);
  } catch (const Unsupported& error) {
    return error.what();
  } catch (const InvalidInput& error) {
    return error.what();
  }
  return "";
}

TEST(ConvertOpset, ClipBoundsBecomeInputsOfTheInputsType) {
  const Model model = convert_opset(
      one_node(10, "Clip", {attribute("min", 0.0F), attribute("max", 6.0F)}, DataType::float16),
      13);
  check_model(model);
  const Node& clip = model.graph.nodes[0];
  EXPECT_TRUE(clip.attributes.empty());
  EXPECT_EQ(constant_input(model, clip, 2), Tensor::scalar(to_float16(6)));
}

TEST(ConvertOpset, AClipWithOneBoundLeavesTheOtherOut) {
  const Model model = convert_opset(one_node(9, "Clip", {attribute("max", 6.0F)}), 11);
  EXPECT_EQ(model.graph.nodes[0].input(1), "");
  EXPECT_EQ(constant_input(model, model.graph.nodes[0], 2), Tensor::scalar(6.0F));
}

TEST(ConvertOpset, AxesBecomeAnInput) {
  for (const char* op_type : {"ReduceSum", "ReduceMean"}) {
    const std::vector<std::int64_t> axes{2, 3};
    const Model model = convert_opset(one_node(11, op_type, {attribute("axes", axes)}), 18);
    check_model(model);
    EXPECT_EQ(constant_input(model, model.graph.nodes[0], 1), Tensor::of<std::int64_t>({2}, axes))
        << op_type;
  }
}

TEST(ConvertOpset, ASoftmaxOfOneAxisStaysOneNode) {
  const Model model =
      convert_opset(one_node(12, "Softmax", {attribute("axis", std::int64_t{3})}), 13);
  ASSERT_EQ(model.graph.nodes.size(), 1U);
  EXPECT_EQ(model.graph.nodes[0].int_attribute("axis", 0), 3);
}

TEST(ConvertOpset, ASoftmaxOfManyAxesIsFlattenedToAMatrix) {
  for (const char* op_type : {"Softmax", "LogSoftmax", "Hardmax"}) {
    // Axis 1 was the default.
    const Model model = convert_opset(one_node(12, op_type, {}), 13);
    check_model(model);
    ASSERT_EQ(model.graph.nodes.size(), 4U);
    EXPECT_EQ(model.graph.nodes[1].op_type, "Flatten");
    EXPECT_EQ(model.graph.nodes[1].int_attribute("axis", 0), 1);
    EXPECT_EQ(model.graph.nodes[2].int_attribute("axis", 0), -1);
    EXPECT_EQ(model.graph.nodes[3].outputs[0], model.graph.outputs[0].name);
  }
}

Model upsample_9(const std::vector<float>& scales) {
  testing::ModelBuilder builder(9);
  const std::string input = builder.input("x", {1, 1, 4, 4});
  builder.output(
      builder.node("Upsample", {input, builder.weight("scales", {4}, scales)}, {}, "up"));
  return builder.build_unchecked();
}

TEST(ConvertOpset, UpsampleBecomesAnEquivalentResize) {
  const Model model = convert_opset(upsample_9({1, 1, 2, 2}), 13);
  check_model(model);
  const Node& resize = model.graph.nodes[0];
  EXPECT_EQ(resize.op_type, "Resize");
  EXPECT_EQ(resize.string_attribute("coordinate_transformation_mode", ""), "asymmetric");
  EXPECT_EQ(resize.string_attribute("nearest_mode", ""), "floor");
  EXPECT_EQ(resize.input(2), "scales");
}

TEST(ConvertOpset, UpsampleToOpset10HasNoAttributesOfLaterOnes) {
  const Model model = convert_opset(upsample_9({1, 1, 2, 2}), 10);
  check_model(model);
  EXPECT_EQ(model.graph.nodes[0].op_type, "Resize");
}

TEST(ConvertOpset, AResizeThatShrinksRoundsUp) {
  testing::ModelBuilder builder(10);
  const std::string input = builder.input("x", {1, 1, 4, 4});
  builder.output(builder.node(
      "Resize", {input, builder.weight("scales", {4}, {1, 1, 0.75F, 0.75F})}, {}, "down"));
  EXPECT_EQ(convert_opset(builder.build_unchecked(), 11)
                .graph.nodes[0]
                .string_attribute("nearest_mode", ""),
            "ceil");
}

TEST(ConvertOpset, AResizeThatEnlargesAndShrinksIsUnsupported) {
  testing::ModelBuilder builder(10);
  const std::string input = builder.input("x", {1, 1, 4, 4});
  builder.output(builder.node("Resize", {input, builder.weight("scales", {4}, {1, 1, 0.75F, 2})},
                              {}, "mixed"));
  EXPECT_EQ(error_of(builder.build_unchecked(), 11),
            "convert: Resize 'mixed' cannot go from opset 10 to 11: it enlarges one axis and "
            "shrinks another with nearest");
}

TEST(ConvertOpset, GroupNormalizationRepeatsItsScale) {
  testing::ModelBuilder builder(18);
  const std::string input = builder.input("x", {2, 6, 4, 4});
  const std::string scale = builder.weight("scale", {3}, {1, 2, 3});
  const std::string bias = builder.weight("bias", {3}, {0, 1, 2});
  builder.output(builder.node("GroupNormalization", {input, scale, bias},
                              {attribute("num_groups", std::int64_t{3})}, "n"));
  const Model model = infer_shapes(convert_opset(builder.build_unchecked(), 21));
  check_model(model);
  EXPECT_EQ(to_string(*model.graph.find_value(model.graph.nodes.back().inputs[1])), "float32 [6]");
}

/// ONNX Runtime had LayerNormalization among the operators of ai.onnx before opset 17, and still
/// has SimplifiedLayerNormalization there.
TEST(ConvertOpset, LeavesOperatorsThatTheStandardDoesNotHave) {
  for (const char* const own : {"SimplifiedLayerNormalization", "LayerNormalization"}) {
    const Model model = one_node(15, own, {});
    const Model converted = convert_opset(model, 21);
    EXPECT_EQ(converted.opset(), 21) << own;
    EXPECT_EQ(converted.graph.nodes, model.graph.nodes) << own;
  }
}

TEST(ConvertOpset, NamesTheOperatorThatCannotBeConverted) {
  EXPECT_EQ(
      error_of(load_model(QUANTSEARCH_DEPS_DIR "/onnx/testdata/node/test_scan_sum/model.onnx"), 13),
      "convert: Scan that makes 'y' cannot go from opset 8 to 9: its batch axis has no equal in "
      "later opsets");
  testing::ModelBuilder resize(12);
  const std::string none = resize.constant("none", Tensor(DataType::float32, {0}));
  const std::string scales = resize.weight("scales", {4}, {1, 1, 2, 2});
  resize.output(resize.node(
      "Resize", {resize.input("x", {1, 1, 2, 2}), none, scales},
      {attribute("coordinate_transformation_mode", std::string("tf_half_pixel_for_nn"))}, "n"));
  EXPECT_EQ(error_of(resize.build_unchecked(), 13),
            "convert: Resize 'n' cannot go from opset 12 to 13: coordinate mode "
            "'tf_half_pixel_for_nn' was removed");
}

TEST(ConvertOpset, OnlyGoesUp) {
  EXPECT_EQ(error_of(one_node(17, "Relu", {}), 13),
            "convert: the model uses opset 17 and cannot go back to 13");
  EXPECT_EQ(error_of(one_node(17, "Relu", {}), 99), "convert: got opset 99, expected at most 24");
  const Model model = one_node(17, "Relu", {});
  EXPECT_EQ(convert_opset(model, 17), model);
}

TEST(ConvertOpset, SubgraphsAreConvertedWithTheirOwnTypes) {
  onnx::ModelProto proto = testing::text_model(R"(
    input { name: 'c' type { tensor_type { elem_type: 9 shape { } } } }
    input { name: 'x' type { tensor_type { elem_type: 10 shape { dim { dim_value: 4 } } } } }
    node { op_type: 'If' name: 'i' input: 'c' output: 'y'
      attribute { name: 'then_branch' type: GRAPH g { name: 't'
        node { op_type: 'Abs' input: 'x' output: 'a' }
        node { op_type: 'Clip' input: 'a' output: 't' attribute { name: 'max' type: FLOAT f: 6 } } output { name: 't' } } }
      attribute { name: 'else_branch' type: GRAPH g { name: 'e'
        node { op_type: 'Neg' input: 'x' output: 'u' } output { name: 'u' } } } }
    output { name: 'y' type { tensor_type { elem_type: 10 } } })");
  proto.mutable_opset_import(0)->set_version(10);
  const Model model = convert_opset(testing::parse_proto(proto), 17);
  const auto& then =
      *std::get<std::shared_ptr<const Graph>>(model.graph.nodes[0].attributes[0].value);
  ASSERT_EQ(then.initializers.size(), 1U);
  EXPECT_EQ(*then.initializers[0].tensor, Tensor::scalar(to_float16(6)));
  EXPECT_TRUE(model.graph.initializers.empty());
}

TEST(ConvertOpset, OperatorsInFunctionsMustNotChange) {
  onnx::ModelProto proto = testing::text_model("input { name: 'x' } output { name: 'x' }");
  proto.mutable_opset_import(0)->set_version(17);
  onnx::FunctionProto& function = *proto.add_functions();
  function.set_name("Fun");
  function.add_node()->set_op_type("Identity");
  (void)convert_opset(testing::parse_proto(proto), 18);
  function.mutable_node(0)->set_op_type("ReduceMean");
  EXPECT_EQ(error_of(testing::parse_proto(proto), 18),
            "convert: function 'Fun' uses ReduceMean of opset 17, which changes until opset 18; "
            "inline the function first");
}

TEST(ConvertOpset, KeepsEverythingElse) {
  onnx::ModelProto proto = testing::text_model(R"(
    doc_string: 'doc' input { name: 'x' type { tensor_type { elem_type: 1 shape { dim { dim_param: 'N' } } } } }
    node { op_type: 'Foo' domain: 'my.domain' input: 'x' output: 'f' }
    node { op_type: 'Dropout' name: 'd' doc_string: 'node doc' input: 'f' output: 'y' output: ''
           attribute { name: 'ratio' type: FLOAT f: 0.25 } }
    output { name: 'y' })");
  proto.mutable_opset_import(0)->set_version(10);
  proto.set_producer_name("somebody");
  proto.add_opset_import()->set_domain("my.domain");
  proto.mutable_opset_import(1)->set_version(3);
  const Model before = testing::parse_proto(proto);
  const Model after = convert_opset(before, 13);
  EXPECT_EQ(after.opsets, (std::map<std::string, std::int64_t>{{"", 13}, {"my.domain", 3}}));
  EXPECT_EQ(after.ir_version, 8) << "never lowered";
  EXPECT_EQ(after.extra, before.extra);
  EXPECT_EQ(after.graph.extra, before.graph.extra);
  EXPECT_EQ(after.graph.inputs, before.graph.inputs);
  EXPECT_EQ(after.graph.values, before.graph.values);
  EXPECT_EQ(after.graph.nodes[0], before.graph.nodes[0]);
  EXPECT_EQ(after.graph.nodes[1].extra, before.graph.nodes[1].extra);
  EXPECT_EQ(constant_input(after, after.graph.nodes[1], 1), Tensor::scalar(0.25F));
}

class ConvertsPpOcr : public ::testing::TestWithParam<std::string> {};

TEST_P(ConvertsPpOcr, ToEveryLaterOpset) {
  const Model model = load_model(std::filesystem::path(QUANTSEARCH_DEPS_DIR) / "ocr" / GetParam());
  for (std::int64_t version = model.opset(); version <= newest_opset(); ++version) {
    const Model converted = convert_opset(model, version);
    check_model(converted);
    EXPECT_EQ(converted.opset(), version);
    EXPECT_GE(converted.ir_version, ir_version_for_opset(version));
    EXPECT_EQ(converted.graph.inputs, model.graph.inputs);
    EXPECT_EQ(converted.graph.outputs, model.graph.outputs);
    EXPECT_EQ(converted.graph.nodes.size(), model.graph.nodes.size())
        << "every Softmax is along one axis";
  }
}

INSTANTIATE_TEST_SUITE_P(Models, ConvertsPpOcr,
                         ::testing::Values("ch_PP-OCRv4_det_infer.onnx",
                                           "ch_PP-OCRv4_rec_infer.onnx",
                                           "ch_ppocr_mobile_v2.0_cls_infer.onnx"),
                         [](const auto& info) {
                           std::string name = info.param.substr(0, info.param.find(".onnx"));
                           std::ranges::replace_if(
                               name, [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
                           return name;
                         });

}  // namespace
}  // namespace quantsearch
