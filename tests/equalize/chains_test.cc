#include "equalize/chains.h"

#include <gtest/gtest.h>

#include "support/model_builder.h"

namespace quantsearch::equalizing {
namespace {

using quantsearch::testing::ModelBuilder;

/// One line "Conv0 Conv2 (Relu1)" for each link, followed by the notes.
std::string chains_of(const Model& model) {
  const ChainMap chains = find_chains(model.graph, GraphIndex(model.graph));
  const auto name = [&](int node) {
    return model.graph.nodes[static_cast<std::size_t>(node)].name;
  };
  std::string text;
  for (const Link& link : chains.links) {
    text += name(chains.layers[static_cast<std::size_t>(link.from)].node) + " " +
            name(chains.layers[static_cast<std::size_t>(link.to)].node) + " (";
    for (const int node : link.between)
      text += name(node) + (node == link.between.back() ? "" : " ");
    text += ")";
    for (const int node : link.additions) text += " +" + name(node);
    text += "\n";
  }
  for (const std::string& note : chains.notes) text += note + "\n";
  return text;
}

class ChainsTest : public ::testing::Test {
 protected:
  std::string conv(const std::string& from, std::int64_t in, std::int64_t out,
                   const std::string& name, std::int64_t groups = 1) {
    const auto weight = builder.random_weight(name + "_w", {out, in / groups, 1, 1}, 1, 5);
    return builder.node("Conv", {from, weight}, {{"group", groups}}, name);
  }
  std::string chains() { return chains_of(infer_shapes(builder.build_unchecked())); }

  ModelBuilder builder;
};

TEST_F(ChainsTest, LayersAreLinkedThroughOperatorsThatKeepScales) {
  builder.input("x", {1, 2, 4, 4});
  std::string y = builder.node("Relu", {conv("x", 2, 4, "a")}, {}, "relu");
  y = builder.node("AveragePool", {y}, {{"kernel_shape", std::vector<std::int64_t>{2, 2}}}, "pool");
  y = conv(y, 4, 4, "b", 4);
  builder.output(conv(y, 4, 3, "c"));
  EXPECT_EQ(chains(), "a b (relu pool)\nb c ()\n");
}

TEST_F(ChainsTest, ATensorWithTwoReadersLinksNothing) {
  builder.input("x", {1, 2, 4, 4});
  const std::string y = conv("x", 2, 2, "a");
  builder.output(builder.node("Add", {conv(y, 2, 2, "b"), y}));
  EXPECT_EQ(chains(), "");
}

TEST_F(ChainsTest, ATensorReadTwiceByOneNodeLinksNothing) {
  builder.input("x", {1, 2, 4, 4});
  const std::string y = conv("x", 2, 2, "a");
  builder.output(conv(builder.node("Mul", {y, y}), 2, 2, "b"));
  EXPECT_EQ(chains(), "");
}

TEST_F(ChainsTest, AGraphOutputLinksNothing) {
  builder.input("x", {1, 2, 4, 4});
  const std::string y = conv("x", 2, 2, "a");
  builder.output(conv(y, 2, 2, "b"));
  builder.output(y);
  EXPECT_EQ(chains(), "");
}

TEST_F(ChainsTest, ClipEndsAChainAndIsNamed) {
  builder.input("x", {1, 2, 4, 4});
  builder.constant("low", Tensor::scalar(0.0F));
  builder.constant("high", Tensor::scalar(6.0F));
  builder.output(
      conv(builder.node("Clip", {conv("x", 2, 2, "a"), "low", "high"}, {}, "clip"), 2, 2, "b"));
  EXPECT_EQ(chains(),
            "the chain from Conv 'a' ends at Clip 'clip': Clip has no bounds per channel\n");
}

TEST_F(ChainsTest, AddedConstantsBelongToTheLink) {
  builder.input("x", {5, 2});
  const std::string y =
      builder.node("MatMul", {"x", builder.random_weight("w", {2, 3}, 1, 1)}, {}, "a");
  const std::string z = builder.node("Add", {builder.random_weight("b", {3}, 1, 2), y}, {}, "bias");
  builder.output(builder.node(
      "MatMul", {builder.node("Relu", {z}, {}, "relu"), builder.random_weight("v", {3, 4}, 1, 3)},
      {}, "c"));
  EXPECT_EQ(chains(), "a c (bias relu) +bias\n");
}

TEST_F(ChainsTest, AConstantOfRowsEndsAChain) {
  builder.input("x", {5, 2});
  const std::string y =
      builder.node("MatMul", {"x", builder.random_weight("w", {2, 3}, 1, 1)}, {}, "a");
  const std::string z =
      builder.node("Add", {y, builder.random_weight("b", {5, 1}, 1, 2)}, {}, "rows");
  builder.output(builder.node("MatMul", {z, builder.random_weight("v", {3, 4}, 1, 3)}, {}, "c"));
  EXPECT_EQ(chains(), "");
}

TEST_F(ChainsTest, APooledImageIsLinkedToAClassifier) {
  builder.input("x", {-1, 2, 4, 4});
  std::string y = builder.node("GlobalAveragePool", {conv("x", 2, 3, "a")}, {}, "pool");
  y = builder.node("Flatten", {y}, {}, "flat");
  builder.output(builder.node("Gemm", {y, builder.random_weight("w", {3, 5}, 1, 1)}, {}, "fc"));
  EXPECT_EQ(chains(), "a fc (pool flat)\n");
}

TEST_F(ChainsTest, AMatMulOverAnotherAxisIsNotLinked) {
  builder.input("x", {1, 4, 4, 4});  // channels are on axis 1, but MatMul contracts the last axis
  builder.output(
      builder.node("MatMul", {conv("x", 4, 4, "a"), builder.random_weight("w", {4, 4}, 1, 1)}));
  EXPECT_EQ(chains(), "");
}

TEST_F(ChainsTest, AComputedWeightIsNotLinked) {
  builder.input("x", {3, 2});
  builder.input("w", {3, 4});
  const std::string y =
      builder.node("MatMul", {"x", builder.random_weight("v", {2, 3}, 1, 1)}, {}, "a");
  builder.output(builder.node("MatMul", {y, "w"}, {}, "b"));
  EXPECT_EQ(chains(), "");
}

TEST_F(ChainsTest, ATransposedGemmInputIsNotLinked) {
  builder.input("x", {3, 2});
  const std::string y =
      builder.node("MatMul", {"x", builder.random_weight("v", {2, 3}, 1, 1)}, {}, "a");
  builder.output(builder.node("Gemm", {y, builder.random_weight("w", {3, 4}, 1, 1)},
                              {{"transA", std::int64_t{1}}}, "b"));
  EXPECT_EQ(chains(), "");
}

}  // namespace
}  // namespace quantsearch::equalizing
