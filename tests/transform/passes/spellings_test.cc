// Layers in other forms become operators to which the rules apply: Sum, Einsum, computed addends,
// operators of com.microsoft, and operators after the DequantizeLinear of a stored weight.

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "transform/pass_test.h"

namespace quantsearch::testing {
namespace {

std::vector<std::string> op_types(const Model& model) {
  std::vector<std::string> types;
  for (const Node& node : model.graph.nodes) types.push_back(node.op_type);
  return types;
}

const Node* find_node(const Model& model, const std::string& op_type) {
  for (const Node& node : model.graph.nodes) {
    if (node.op_type == op_type) return &node;
  }
  return nullptr;
}

TEST(SumToAdd, AddsFromTheLeft) {
  ModelBuilder builder;
  builder.input("a", {-1, 3});
  builder.input("b", {-1, 3});
  const std::string sum = builder.node("Sum", {"a", "b", builder.weight("c", {3}, {1, 2, 3})});
  builder.output(sum, {-1, 3});
  const Model before = builder.build();
  const PassResult result = sum_to_add(before);
  EXPECT_EQ(op_types(result.model), (std::vector<std::string>{"Add", "Add"}));
  EXPECT_EQ(largest_difference(before, result.model), 0);
  EXPECT_EQ(text(result.notes), "Sum 'Sum0' became 2 Add");
}

Model einsum_of(const std::string& equation, const std::vector<std::int64_t>& left,
                const std::vector<std::int64_t>& right, bool is_weight) {
  ModelBuilder builder;
  builder.input("x", left);
  if (is_weight) {
    builder.random_weight("w", right, 1, 3);
  } else {
    builder.input("w", right);
  }
  builder.output(builder.node("Einsum", {"x", "w"}, {attribute("equation", equation)}));
  return inferred(builder);
}

struct EinsumCase {
  std::string equation;
  std::vector<std::int64_t> left;
  std::vector<std::int64_t> right;
  bool is_weight;
};

TEST(EinsumToMatmul, TakesMatrixProductsInAnyOrderOfAxes) {
  const std::vector<EinsumCase> cases = {
      {"bsd,de->bse", {-1, 5, 4}, {4, 6}, true},
      {"bsd, ed -> bse", {-1, 5, 4}, {6, 4}, true},
      {"bsd,dhe->bshe", {-1, 5, 4}, {4, 2, 3}, true},
      {"bshe,hed->bsd", {-1, 5, 2, 3}, {2, 3, 4}, true},
      {"bds,de->bes", {-1, 4, 5}, {4, 6}, true},
      {"...d,de->...e", {-1, 5, 4}, {4, 6}, true},
      {"ij,jk", {-1, 4}, {4, 6}, true},
      {"bhqd,hde->bhqe", {-1, 3, 5, 4}, {3, 4, 6}, true},
      {"bhqd,bhkd->bhqk", {-1, 2, 5, 4}, {-1, 2, 7, 4}, false},
      {"bqhd,bkhd->bhqk", {-1, 5, 2, 4}, {-1, 7, 2, 4}, false},
      {"bhqk,bkhd->bqhd", {-1, 2, 5, 7}, {-1, 7, 2, 4}, false},
      {"bhqd,bgkd->bhgqk", {-1, 2, 5, 4}, {-1, 3, 7, 4}, false},
      {"bhqd,bhkd->bhkq", {-1, 2, 5, 4}, {-1, 2, 7, 4}, false},
  };
  for (const EinsumCase& one : cases) {
    const Model before = einsum_of(one.equation, one.left, one.right, one.is_weight);
    const PassResult result = einsum_to_matmul(before);
    EXPECT_EQ(count(result.model, "MatMul"), 1) << one.equation << ": " << text(result.notes);
    EXPECT_EQ(count(result.model, "Einsum"), 0) << one.equation;
    EXPECT_LE(largest_difference(before, result.model), 1e-5) << one.equation;
  }
}

TEST(EinsumToMatmul, PutsAConstantOnTheRight) {
  ModelBuilder builder;
  builder.input("x", {-1, 5, 4});
  builder.random_weight("w", {4, 6}, 1, 3);
  builder.output(builder.node("Einsum", {"w", "x"}, {attribute("equation", "de,bsd->bse")}));
  const Model before = inferred(builder);
  const PassResult result = einsum_to_matmul(before);
  ASSERT_NE(find_node(result.model, "MatMul"), nullptr) << text(result.notes);
  EXPECT_EQ(find_node(result.model, "MatMul")->inputs, (std::vector<std::string>{"x", "w"}));
  EXPECT_LE(largest_difference(before, result.model), 1e-5);
}

TEST(EinsumToMatmul, NotesWhyOthersStay) {
  const std::vector<std::pair<EinsumCase, std::string>> cases = {
      {{"bii,ij->bj", {-1, 4, 4}, {4, 6}, true}, "a label stands twice in one term"},
      {{"bsd,de->be", {-1, 5, 4}, {4, 6}, true}, "it sums over one operand alone"},
      {{"bd,d->bd", {-1, 4}, {4}, true}, "it is no matrix product"},
      {{"bhqd,bgkd->bhgqk", {-1, -1, 5, 4}, {-1, -1, 7, 4}, false},
       "the sizes of its columns are not known"},
  };
  for (const auto& [one, reason] : cases) {
    const Model before = einsum_of(one.equation, one.left, one.right, one.is_weight);
    const PassResult result = einsum_to_matmul(before);
    EXPECT_EQ(result.model.graph.nodes, before.graph.nodes);
    EXPECT_EQ(text(result.notes), "Einsum 'Einsum0' stays: " + reason);
  }
}

TEST(SplitAddends, TakesAComputedAddendOutOfGemmAndConv) {
  ModelBuilder builder;
  builder.input("x", {-1, 4});
  const std::string gemm =
      builder.node("Gemm", {"x", builder.random_weight("w", {4, 4}, 1, 1), "x"},
                   {attribute("transB", std::int64_t{1}), attribute("beta", 0.5F)});
  builder.input("image", {1, 2, 5, 5});
  builder.input("bias", {3});
  const std::string conv =
      builder.node("Conv", {"image", builder.random_weight("k", {3, 2, 3, 3}, 1, 2), "bias"});
  builder.output(gemm);
  builder.output(conv);
  const Model before = inferred(builder);
  const PassResult result = split_addends(before);
  EXPECT_EQ(op_types(result.model),
            (std::vector<std::string>{"Mul", "Gemm", "Add", "Reshape", "Conv", "Add"}));
  EXPECT_EQ(find_node(result.model, "Gemm")->inputs.size(), 2U);
  EXPECT_EQ(find_node(result.model, "Conv")->inputs.size(), 2U);
  EXPECT_LE(largest_difference(before, result.model), 1e-5);
  EXPECT_EQ(text(result.notes),
            "Gemm 'Gemm0' became Gemm and Add: its addend is not one constant per channel\n"
            "Conv 'Conv1' became Conv and Add: its addend is not one constant per channel");
}

TEST(SplitAddends, RepeatsASingleConstantAndSplitsAMatrix) {
  ModelBuilder builder;
  builder.input("x", {2, 4});
  const std::string scalar = builder.node(
      "Gemm", {"x", builder.random_weight("w", {4, 3}, 1, 1), builder.weight("c", {1}, {0.5F})});
  const std::string matrix = builder.node("Gemm", {scalar, builder.random_weight("v", {3, 3}, 1, 2),
                                                   builder.random_weight("m", {2, 3}, 1, 3)});
  const std::string vector =
      builder.node("Gemm", {matrix, "v", builder.weight("b", {3}, {1, 2, 3})});
  builder.output(vector);
  const Model before = inferred(builder);
  const PassResult result = split_addends(before);
  EXPECT_EQ(op_types(result.model), (std::vector<std::string>{"Gemm", "Gemm", "Add", "Gemm"}));
  EXPECT_EQ(result.model.graph.find_initializer("c")->shape(), Shape({3}));
  EXPECT_LE(largest_difference(before, result.model), 1e-5);
}

TEST(SplitFusedLayers, TurnsFusedMatMulIntoMatMul) {
  for (const bool is_weight : {true, false}) {
    ModelBuilder builder;
    builder.import_domain("com.microsoft", 1);
    builder.input("x", {2, 5, 4});
    if (is_weight) {
      builder.random_weight("w", {6, 4}, 1, 1);
    } else {
      builder.input("w", {2, 6, 4});
    }
    Node fused = node_of("FusedMatMul", {"x", "w"}, {"y"},
                         {attribute("transB", std::int64_t{1}), attribute("alpha", 0.5F)});
    fused.domain = "com.microsoft";
    builder.add(fused);
    builder.output("y", {2, 5, 6});
    const Model before = builder.build_unchecked();
    const PassResult result = split_fused_layers(infer_shapes(before));
    EXPECT_EQ(op_types(result.model),
              is_weight ? (std::vector<std::string>{"Transpose", "Mul", "MatMul"})
                        : (std::vector<std::string>{"Transpose", "MatMul", "Mul"}));
    EXPECT_LE(largest_difference(before, result.model), 1e-5);
  }
}

TEST(SplitFusedLayers, TurnsFusedConvIntoConvAndActivation) {
  ModelBuilder builder;
  builder.import_domain("com.microsoft", 1);
  builder.input("x", {1, 2, 5, 5});
  builder.random_weight("w", {3, 2, 3, 3}, 1, 1);
  builder.weight("b", {3}, {1, 2, 3});
  Node fused = node_of("FusedConv", {"x", "w", "b"}, {"y"},
                       {attribute("activation", std::string("Clip")),
                        attribute("activation_params", std::vector<float>{0, 1})});
  fused.domain = "com.microsoft";
  builder.add(fused);
  builder.output("y", {1, 3, 3, 3});
  const Model before = builder.build_unchecked();
  const PassResult result = split_fused_layers(before);
  EXPECT_EQ(op_types(result.model), (std::vector<std::string>{"Conv", "Clip"}));
  EXPECT_LE(largest_difference(before, result.model), 1e-5);
}

TEST(SplitAttention, TakesTheProjectionOut) {
  for (const bool has_mask : {false, true}) {
    ModelBuilder builder;
    builder.import_domain("com.microsoft", 1);
    builder.input("x", {2, 5, 8});
    std::vector<std::string> inputs = {"x", builder.random_weight("w", {8, 24}, 1, 1),
                                       builder.random_weight("b", {24}, 1, 2)};
    if (has_mask)
      inputs.push_back(builder.constant(
          "mask", Tensor::of<std::int32_t>({2, 5}, {1, 1, 1, 0, 0, 1, 1, 1, 1, 0})));
    Node attention = node_of("Attention", inputs, {"y"}, {attribute("num_heads", std::int64_t{2})});
    attention.domain = "com.microsoft";
    builder.add(attention);
    builder.output("y", {2, 5, 8});
    const Model before = builder.build_unchecked();
    const PassResult result = split_attention(before);
    EXPECT_EQ(op_types(result.model),
              (std::vector<std::string>{"MatMul", "Add", "Split", "MultiHeadAttention"}));
    EXPECT_LE(largest_difference(before, result.model), 1e-5);
  }
}

TEST(DequantizeLast, MovesStoredIntegersThroughTransposeAndReshape) {
  ModelBuilder builder;
  builder.input("x", {-1, 6});
  std::vector<std::int8_t> integers(24);
  for (std::size_t at = 0; at < integers.size(); ++at)
    integers[at] = static_cast<std::int8_t>(static_cast<int>(at * 37 % 255) - 127);
  builder.constant("q", Tensor::of<std::int8_t>({2, 3, 4}, integers));
  builder.weight("s", {4}, {0.1F, 0.2F, 0.3F, 0.4F});
  const std::string stored =
      builder.node("DequantizeLinear", {"q", "s"}, {attribute("axis", std::int64_t{2})});
  const std::string flat = builder.node(
      "Reshape", {stored, builder.constant("shape", Tensor::of<std::int64_t>({2}, {6, 4}))});
  const std::string turned =
      builder.node("Transpose", {flat}, {attribute("perm", std::vector<std::int64_t>{1, 0})});
  builder.output(builder.node("Gemm", {"x", turned}, {attribute("transB", std::int64_t{1})}));
  const Model before = inferred(builder);
  const Model after = fold_constants(dequantize_last(before).model).model;
  const Model cleaned = remove_dead_nodes(after).model;
  EXPECT_EQ(op_types(cleaned), (std::vector<std::string>{"DequantizeLinear", "Gemm"}));
  EXPECT_EQ(find_node(cleaned, "DequantizeLinear")->int_attribute("axis", -7), 0);
  EXPECT_EQ(largest_difference(before, cleaned), 0);
}

TEST(Simplify, TakesTypesAfterOperatorsUnknownToOnnxFromOnnxRuntime) {
  ModelBuilder builder;
  builder.import_domain("com.microsoft", 1);
  builder.input("x", {-1, 3, 8});
  builder.random_weight("gamma", {8}, 1, 1);
  builder.random_weight("beta", {8}, 1, 2);
  Node norm = node_of("SkipLayerNormalization", {"x", "x", "gamma", "beta"}, {"n"});
  norm.domain = "com.microsoft";
  builder.add(norm);
  const std::string product =
      builder.node("MatMul", {"n", builder.random_weight("w", {8, 4}, 1, 3)});
  builder.output(builder.node("Relu", {product}), {-1, 3, 4});
  const Model model = simplify(builder.build_unchecked()).model;
  ASSERT_NE(model.graph.find_value("n"), nullptr);
  EXPECT_EQ(model.graph.find_value("n")->type, DataType::float32);
  ASSERT_NE(model.graph.find_value(product), nullptr);
  EXPECT_EQ(model.graph.find_value(product)->type, DataType::float32);
}

}  // namespace
}  // namespace quantsearch::testing
