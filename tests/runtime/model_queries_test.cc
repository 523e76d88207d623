#include <gtest/gtest.h>

#include "quantsearch/runtime.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

using testing::ModelBuilder;

TEST(HasDynamicBatch, IsTrueWhenEveryFirstAxisIsOpen) {
  ModelBuilder builder;
  builder.output(builder.node("Relu", {builder.input("x", {-1, 3})}), {-1, 3});
  EXPECT_TRUE(has_dynamic_batch(builder.build()));
}

TEST(HasDynamicBatch, IsFalseForAFixedInput) {
  ModelBuilder builder;
  builder.output(builder.node("Relu", {builder.input("x", {1, 3})}), {1, 3});
  EXPECT_FALSE(has_dynamic_batch(builder.build()));
}

TEST(HasDynamicBatch, IsFalseWhenAnyInputIsFixed) {
  ModelBuilder builder;
  const std::string left = builder.input("x", {-1, 3});
  const std::string right = builder.input("y", {1, 3});
  builder.output(builder.node("Add", {left, right}), {-1, 3});
  EXPECT_FALSE(has_dynamic_batch(builder.build()));
}

TEST(HasDynamicBatch, IsFalseForAReshapeToAFixedBatchDeclaredAsOpen) {
  ModelBuilder builder;
  const std::string shape = builder.constant("shape", Tensor::of<std::int64_t>({2}, {1, -1}));
  builder.output(builder.node("Reshape", {builder.input("x", {-1, 3}), shape}), {-1, 3});
  EXPECT_FALSE(has_dynamic_batch(builder.build()));
}

TEST(HasDynamicBatch, IsFalseForAScalarOutput) {
  ModelBuilder builder;
  builder.output(
      builder.node("ReduceMean", {builder.input("x", {-1, 3})}, {{"keepdims", std::int64_t{0}}}),
      {});
  EXPECT_FALSE(has_dynamic_batch(builder.build()));
}

TEST(HasDynamicBatch, IgnoresInitializersAmongTheInputs) {
  ModelBuilder builder;
  const std::string x = builder.input("x", {-1, 3});
  const std::string w = builder.input("w", {3});
  builder.weight("w", {3}, {1, 2, 3});
  builder.output(builder.node("Add", {x, w}), {-1, 3});
  EXPECT_TRUE(has_dynamic_batch(builder.build()));
}

TEST(HasDynamicBatch, IsTrueForTheTestModels) {
  const std::string folder = QUANTSEARCH_SOURCE_DIR "/tests/data/";
  EXPECT_TRUE(has_dynamic_batch(load_model(folder + "resnet8.onnx")));
  EXPECT_TRUE(has_dynamic_batch(load_model(folder + "tinyvit.onnx")));
  EXPECT_TRUE(
      has_dynamic_batch(load_model(QUANTSEARCH_DEPS_DIR "/ocr/ch_PP-OCRv4_det_infer.onnx")));
}

TEST(CountOperators, CountsEachType) {
  ModelBuilder builder;
  const std::string first = builder.node("Relu", {builder.input("x", {1})});
  builder.output(builder.node("Add", {builder.node("Relu", {first}), first}), {1});
  const std::map<std::string, int> expected = {{"Add", 1}, {"Relu", 2}};
  EXPECT_EQ(count_operators(builder.build().graph), expected);
}

TEST(CountOperators, CountsSubgraphs) {
  Graph body;
  body.nodes.push_back({.op_type = "Identity",
                        .domain = "",
                        .name = "",
                        .inputs = {},
                        .outputs = {"y"},
                        .attributes = {},
                        .extra = ""});
  Graph graph;
  graph.nodes.push_back({.op_type = "If",
                         .domain = "",
                         .name = "",
                         .inputs = {"c"},
                         .outputs = {"z"},
                         .attributes = {},
                         .extra = ""});
  graph.nodes[0].set_attribute("then_branch", std::make_shared<const Graph>(body));
  const std::map<std::string, int> expected = {{"Identity", 1}, {"If", 1}};
  EXPECT_EQ(count_operators(graph), expected);
}

TEST(RuntimeVersion, NamesOnnxRuntime) {
  EXPECT_EQ(runtime_version().substr(0, 15), "ONNX Runtime 1.");
}

}  // namespace
}  // namespace quantsearch
