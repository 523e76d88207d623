#include "quantsearch/equalize.h"

#include <gtest/gtest.h>

#include "equalize/equivalence.h"
#include "quantsearch/base/error.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

using testing::built;
using testing::kRounding;
using testing::ModelBuilder;
using testing::relative_difference;
using testing::weights_of;

const EqualizeOptions kPlain{.use_threshold = false, .append_bias = false};

TEST(Equalize, ScalesTheWeightsOfAPair) {
  // Channel 0 has 4 and 1 and the scale 1/2; channel 1 has 1 and 9 and the scale 3.
  ModelBuilder builder;
  builder.input("x", {1, 2});
  builder.weight("w", {2, 2}, {4, 0.5F, -1, -1});
  builder.weight("b", {2}, {10, 20});
  builder.weight("v", {2, 1}, {1, -9});
  const std::string y = builder.node("Relu", {builder.node("Gemm", {"x", "w", "b"})});
  builder.output(builder.node("Gemm", {y, "v"}));
  const Equalized result = equalize(built(builder), kPlain);
  EXPECT_TRUE(result.changed);
  EXPECT_EQ(weights_of(result.model, "w"), (std::vector<float>{2, 1.5F, -0.5F, -3}));
  EXPECT_EQ(weights_of(result.model, "b"), (std::vector<float>{5, 60}));
  EXPECT_EQ(weights_of(result.model, "v"), (std::vector<float>{2, -3}));
  EXPECT_EQ(result.notes, (std::vector<std::string>{
                              "Gemm 'Gemm0' and Gemm 'Gemm2' share 2 channels, scaled by 0.5 to 3",
                              "1 links in 1 sweeps"}));
}

TEST(Equalize, EveryKindOfLayerKeepsItsFunction) {
  ModelBuilder builder;
  builder.input("x", {2, 4, 9, 9});
  std::string y = builder.node(
      "Conv",
      {"x", builder.random_weight("a", {6, 2, 3, 3}, 1, 1), builder.random_weight("ab", {6}, 1, 2)},
      {{"group", std::int64_t{2}}});
  y = builder.node("PRelu", {y, builder.random_weight("slope", {6, 1, 1}, 1, 3)});
  y = builder.node(
      "ConvTranspose",
      {y, builder.random_weight("t", {6, 2, 2, 2}, 3, 4), builder.random_weight("tb", {4}, 1, 5)},
      {{"group", std::int64_t{2}}});
  y = builder.node("LeakyRelu", {y});
  y = builder.node("Conv", {y, builder.random_weight("d", {8, 1, 3, 3}, 0.2F, 6)},
                   {{"group", std::int64_t{4}}});
  y = builder.node("Flatten", {builder.node("GlobalAveragePool", {y})});
  y = builder.node(
      "Gemm", {y, builder.random_weight("g", {5, 8}, 2, 7), builder.random_weight("gb", {1}, 1, 8)},
      {{"transB", std::int64_t{1}}, {"alpha", 0.5F}, {"beta", 2.0F}});
  y = builder.node("MatMul", {builder.node("Relu", {y}), builder.random_weight("m", {5, 3}, 7, 9)});
  y = builder.node("Sub", {y, builder.random_weight("mb", {1, 3}, 1, 10)});
  y = builder.node("Add", {builder.random_weight("mc", {}, 1, 11), y});
  builder.output(builder.node(
      "MatMul", {builder.node("Relu", {y}), builder.random_weight("n", {3, 3}, 0.1F, 12)}));
  const Model model = built(builder);
  const Equalized result = equalize(model, kPlain);
  EXPECT_EQ(result.notes.back(), "5 links in 1 sweeps");
  EXPECT_LT(relative_difference(model, result.model), kRounding);
}

TEST(Equalize, OtherRanksKeepTheirFunction) {
  for (const std::size_t space : {1U, 3U}) {
    ModelBuilder builder;
    Shape image = {2, 3};
    Shape first = {4, 3};
    Shape second = {2, 4};
    for (std::size_t axis = 0; axis < space; ++axis) {
      image.push_back(6);
      first.push_back(3);
      second.push_back(2);
    }
    builder.input("x", image);
    const std::string y = builder.node(
        "Relu", {builder.node("Conv", {"x", builder.random_weight("a", first, 3, 1)})});
    builder.output(builder.node("Conv", {y, builder.random_weight("b", second, 0.2F, 2)}));
    const Model model = built(builder);
    const Equalized result = equalize(model, kPlain);
    EXPECT_TRUE(result.changed) << space;
    EXPECT_LT(relative_difference(model, result.model), kRounding) << space;
  }
}

TEST(Equalize, ASharedWeightIsCopied) {
  ModelBuilder builder;
  builder.input("x", {2, 3});
  builder.random_weight("w", {3, 3}, 2, 1);
  builder.random_weight("bias", {3}, 2, 2);
  const std::string y = builder.node("Relu", {builder.node("Gemm", {"x", "w", "bias"}, {}, "a")});
  const std::string z =
      builder.node("Gemm", {y, builder.random_weight("v", {3, 3}, 0.1F, 3)}, {}, "b");
  builder.output(builder.node("Add", {z, builder.node("Gemm", {"x", "w", "bias"}, {}, "c")}));
  const Model model = built(builder);
  const Equalized result = equalize(model, kPlain);
  EXPECT_TRUE(result.changed);
  EXPECT_EQ(weights_of(result.model, "w"), weights_of(model, "w"));
  EXPECT_EQ(weights_of(result.model, "bias"), weights_of(model, "bias"));
  EXPECT_LT(relative_difference(model, result.model), kRounding);
}

TEST(Equalize, AWeightUsedByBothLayersOfAPairIsCopied) {
  ModelBuilder builder;
  builder.input("x", {2, 3});
  builder.random_weight("w", {3, 3}, 2, 1);
  builder.output(builder.node("MatMul", {builder.node("MatMul", {"x", "w"}), "w"}));
  const Model model = built(builder);
  const Equalized result = equalize(model, kPlain);
  EXPECT_TRUE(result.changed);
  EXPECT_EQ(result.model.graph.initializers.size(), 2U);
  EXPECT_LT(relative_difference(model, result.model), kRounding);
}

TEST(Equalize, WithoutChainsTheModelIsUnchanged) {
  ModelBuilder builder;
  builder.input("x", {2, 3});
  builder.output(builder.node("MatMul", {"x", builder.random_weight("w", {3, 3}, 2, 1)}));
  const Model model = built(builder);
  const Equalized result = equalize(model, {});
  EXPECT_FALSE(result.changed);
  EXPECT_EQ(result.model, model);
  EXPECT_FALSE(can_equalize(model, {}));
}

class Clip6 : public ::testing::Test {
 protected:
  Clip6() {
    builder_.input("x", {2, 3});
    builder_.constant("low", Tensor::scalar(0.0F));
    builder_.constant("high", Tensor::scalar(6.0F));
    const std::string y = builder_.node("MatMul", {"x", builder_.random_weight("w", {3, 3}, 2, 1)});
    const std::string z = builder_.node("Clip", {y, "low", "high"}, {}, "clip");
    builder_.output(builder_.node("MatMul", {z, builder_.random_weight("v", {3, 3}, 0.1F, 3)}));
  }
  ModelBuilder builder_;
};

TEST_F(Clip6, EndsTheChainByDefault) {
  const Model model = built(builder_);
  EXPECT_FALSE(equalize(model, kPlain).changed);
  EXPECT_EQ(
      equalize(model, kPlain).notes,
      (std::vector<std::string>{
          "the chain from MatMul 'MatMul0' ends at Clip 'clip': Clip has no bounds per channel"}));
}

TEST_F(Clip6, BecomesReluOnRequestWithANote) {
  EqualizeOptions options = kPlain;
  options.replace_clip6 = true;
  const Model model = built(builder_);
  EXPECT_TRUE(can_equalize(model, options));
  const Equalized result = equalize(model, options);
  EXPECT_EQ(result.model.graph.nodes[1].op_type, "Relu");
  EXPECT_EQ(result.model.graph.nodes[1].inputs.size(), 1U);
  EXPECT_EQ(result.model.graph.find_initializer("high"), nullptr);
  EXPECT_EQ(result.notes[0],
            "Clip 'clip' from 0 to 6 is Relu now, which changes what the model computes");
  // The inputs are too small to reach the bound of 6.
  EXPECT_LT(relative_difference(model, result.model), kRounding);
}

TEST(Equalize, RefusesOptionsOutOfTheirBounds) {
  const Model model;
  const auto message = [&](const EqualizeOptions& options) {
    try {
      (void)equalize(model, options);
    } catch (const InvalidInput& error) {
      return std::string(error.what());
    }
    return std::string("nothing was thrown");
  };
  EXPECT_EQ(message({.steps = 0}),
            "equalize: CLESteps is 0, expected at least 1, or -1 for as many as it takes");
  EXPECT_EQ(message({.weight_threshold = -1}),
            "equalize: CLEWeightThreshold is -1 and CLETotalLayerDiffThreshold 1.9e-07, expected "
            "at least 0");
}

}  // namespace
}  // namespace quantsearch
