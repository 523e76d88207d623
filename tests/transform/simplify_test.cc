#include <gtest/gtest.h>

#include <cctype>
#include <cstdio>
#include <filesystem>
#include <set>
#include <string>

#include "quantsearch/runtime.h"
#include "quantsearch/transform.h"
#include "transform/pass_test.h"

namespace quantsearch::testing {
namespace {

std::string message_of(const Model& model, const SimplifyOptions& options) {
  try {
    (void)simplify(model, options);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

Model small_model(std::int64_t opset = 17) {
  ModelBuilder builder(opset);
  builder.input("x", {-1, 2, 3, 3});
  builder.output(builder.node("Conv", {"x", builder.random_weight("w", {2, 2, 1, 1}, 1, 5)}),
                 {-1, 2, 3, 3});
  return builder.build();
}

TEST(Simplify, NamesTheNearestPassWhenOneIsUnknown) {
  EXPECT_EQ(message_of(small_model(), {.disabled = {"fold_batchnorm"}}),
            "simplify: unknown pass 'fold_batchnorm'; nearest known: 'fold_batch_norm'");
}

TEST(Simplify, RefusesToLowerTheOpset) {
  EXPECT_EQ(message_of(small_model(17), {.opset = 15}),
            "simplify: the model has opset 17, which cannot be lowered to the 15 asked for; ask "
            "for 17 or leave it out");
}

TEST(Simplify, RefusesAnOpsetTooOldForTheTypes) {
  EXPECT_EQ(message_of(small_model(9), {.opset = 11}),
            "simplify: opset 11 was asked for, but the types of this configuration need at least "
            "13; ask for that or leave it out");
}

TEST(Simplify, RecordsEveryPassThatRan) {
  const Simplified result =
      simplify(small_model(), {.fold_constants = false, .disabled = {"raise_opset"}});
  std::set<std::string> names;
  for (const PassRecord& pass : result.passes) names.insert(pass.name);
  EXPECT_TRUE(names.contains("fold_batch_norm"));
  EXPECT_FALSE(names.contains("fold_constants"));
  EXPECT_FALSE(names.contains("raise_opset"));
  EXPECT_FALSE(names.contains("fp16_to_fp32"));
}

TEST(Simplify, WarnsOfANormalizationInTraining) {
  ModelBuilder builder;
  builder.input("x", {2, 2});
  const auto channel = [&](const char* name) { return builder.weight(name, {2}, {1, 1}); };
  builder.add({.op_type = "BatchNormalization",
               .domain = "",
               .name = "norm",
               .inputs = {"x", channel("s"), channel("b"), channel("m"), channel("v")},
               .outputs = {"y", "mean", "variance"},
               .attributes = {{.name = "training_mode", .value = std::int64_t{1}}},
               .extra = ""});
  builder.output("y", {2, 2});
  EXPECT_EQ(simplify(builder.build()).warnings,
            std::vector<std::string>{
                "BatchNormalization 'norm' is in training mode: it normalizes by the statistics of "
                "each batch, so that a sample's result depends on the others; export the model in "
                "evaluation mode"});
  EXPECT_TRUE(simplify(small_model()).warnings.empty());
}

// The model declares a wrong shape for its output; the runtime uses the shape that it computes.
TEST(Simplify, NotesAModelThatOnlyShapeInferenceRefuses) {
  ModelBuilder builder;
  builder.input("x", {1, 4});
  builder.output(builder.node("Relu", {"x"}), {1, 5});
  const Simplified result = simplify(builder.build_unchecked());
  ASSERT_EQ(result.notes.size(), 1U);
  EXPECT_EQ(
      result.notes[0].find(runtime_version() + " loads the model, but ONNX's checker objects: "),
      0U)
      << result.notes[0];
}

/// Optimized models hold operators that ONNX Runtime registers in the standard's domain.
TEST(Simplify, TakesOperatorsThatOnlyTheRuntimeKnows) {
  ModelBuilder builder;
  builder.input("x", {-1, 4});
  const std::string normed = builder.node(
      "SimplifiedLayerNormalization", {"x", builder.weight("one", {4}, {1, 1, 1, 1})}, {}, "norm");
  builder.output(builder.node("MatMul", {normed, builder.random_weight("w", {4, 2}, 1, 1)}),
                 {-1, 2});
  const Simplified result = simplify(builder.build_unchecked());
  ASSERT_EQ(result.notes.size(), 1U);
  EXPECT_NE(result.notes[0].find("SimplifiedLayerNormalization"), std::string::npos)
      << result.notes[0];
  const ValueInfo* const value = result.model.graph.find_value(normed);
  ASSERT_NE(value, nullptr);
  EXPECT_EQ(value->type, DataType::float32);
}

TEST(Simplify, RefusesAModelThatTheRuntimeRefusesToo) {
  ModelBuilder builder;
  builder.input("x", {1, 4});
  builder.output(builder.node("MatMul", {"x", builder.random_weight("w", {3, 2}, 1, 1)}), {1, 2});
  const std::string message = message_of(builder.build_unchecked(), {});
  EXPECT_EQ(message.find("check: the model is not valid ONNX: "), 0U) << message;
}

TEST(Simplify, ASecondRunChangesNothing) {
  const Model once = simplify(small_model()).model;
  EXPECT_EQ(serialize_model(simplify(once).model), serialize_model(once));
}

struct Case {
  std::string file;
  double tolerance;  // of outputs of size 1 to 30
  Shape input;
};

void PrintTo(const Case& model, std::ostream* stream) {
  *stream << std::filesystem::path(model.file).filename().string();
}

class RealModels : public ::testing::TestWithParam<Case> {};

TEST_P(RealModels, ComputeTheSameAndLoadOptimized) {
  const Model before = load_model(GetParam().file);
  const Simplified result = simplify(before);
  const Batch inputs = {{before.graph.inputs[0].name, random_tensor(GetParam().input, 5)}};
  const Batch wanted = open_session(before)->run(inputs);
  const double difference = largest_difference(wanted, open_session(result.model)->run(inputs));
  EXPECT_LE(difference, GetParam().tolerance);
  EXPECT_GE(result.model.opset(), 13);
  EXPECT_EQ(count(result.model, "Constant"), 0);
  EXPECT_LE(weight_bytes(result.model.graph),
            1.05 * static_cast<double>(
                       weight_bytes(simplify(before, {.fold_constants = false}).model.graph)));
  const auto name = std::filesystem::path(GetParam().file).stem().string();
  RecordProperty("difference", std::to_string(difference));
  std::printf("%s: %zu nodes became %zu, largest difference %.2g\n", name.c_str(),
              before.graph.nodes.size(), result.model.graph.nodes.size(), difference);
}

const std::string kSource = QUANTSEARCH_SOURCE_DIR;
const std::string kOcr = std::string(QUANTSEARCH_DEPS_DIR) + "/ocr/";

INSTANTIATE_TEST_SUITE_P(
    Simplify, RealModels,
    ::testing::Values(
        Case{kSource + "/tests/data/resnet8.onnx", 1e-4, {2, 1, 28, 28}},
        Case{kSource + "/tests/data/mobilenet_hard.onnx", 1e-4, {2, 1, 28, 28}},
        Case{kSource + "/tests/data/tinyvit.onnx", 1e-4, {2, 1, 28, 28}},
        Case{kSource + "/examples/fashion_mnist/mobilenet_s.onnx", 1e-4, {2, 1, 28, 28}},
        Case{kOcr + "ch_PP-OCRv4_det_infer.onnx", 1e-4, {1, 3, 96, 128}},
        Case{kOcr + "ch_PP-OCRv4_rec_infer.onnx", 1e-4, {1, 3, 48, 96}},
        Case{kOcr + "ch_ppocr_mobile_v2.0_cls_infer.onnx", 1e-4, {1, 3, 48, 192}}),
    [](const auto& info) {
      std::string name = std::filesystem::path(info.param.file).stem().string();
      for (char& letter : name)
        letter = std::isalnum(static_cast<unsigned char>(letter)) != 0 ? letter : '_';
      return name;
    });

TEST(Simplify, FoldsEveryBatchNormOfTheClassifier) {
  const Model model = simplify(load_model(kOcr + "ch_ppocr_mobile_v2.0_cls_infer.onnx")).model;
  EXPECT_EQ(count(model, "BatchNormalization"), 0);
  EXPECT_EQ(count(model, "Div"), 0);
}

}  // namespace
}  // namespace quantsearch::testing
