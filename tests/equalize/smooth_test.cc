#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "equalize/equivalence.h"
#include "quantsearch/base/error.h"
#include "quantsearch/equalize.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

using testing::built;
using testing::ModelBuilder;
using testing::relative_difference;
using testing::weights_of;

constexpr double kSmoothRounding = 3e-6;

/// Statistics as from observing channels that reach 1, 4, 16, 64, 1, 4, ...
TensorStatistics channels(std::size_t count, bool last) {
  TensorStatistics statistics;
  statistics.channels_last = last;
  for (std::size_t channel = 0; channel < count; ++channel) {
    const auto largest = static_cast<float>(std::pow(4, channel % 4));
    statistics.channel_min.push_back(-largest);
    statistics.channel_max.push_back(largest);
    statistics.channel_mean.push_back(0);
    statistics.channel_mean_square.push_back(largest * largest / 3);
  }
  return statistics;
}

int count(const Model& model, const std::string& op) {
  return static_cast<int>(std::ranges::count(model.graph.nodes, op, &Node::op_type));
}

Attribute groups(std::int64_t number) { return {"group", number}; }

TEST(Smooth, MovesScalesFromALayerNormalization) {
  // max |X| = 1, 4 and max |W| = 1, 1, so alpha 1/2 divides by 1 and 2.
  ModelBuilder builder;
  builder.input("x", {1, 3, 2});
  builder.weight("gain", {2}, {3, 5});
  builder.weight("shift", {2}, {7, 9});
  builder.weight("w", {2, 2}, {1, 0.5F, 0.25F, -1});
  const std::string y = builder.node("LayerNormalization", {"x", "gain", "shift"}, {}, "norm");
  builder.output(builder.node("MatMul", {y, "w"}));
  const Smoothed result =
      smooth(built(builder), {.samples = 1, .tensors = {{y, channels(2, true)}}}, {});
  EXPECT_TRUE(result.changed);
  EXPECT_EQ(weights_of(result.model, "gain"), (std::vector<float>{3, 2.5F}));
  EXPECT_EQ(weights_of(result.model, "shift"), (std::vector<float>{7, 4.5F}));
  EXPECT_EQ(weights_of(result.model, "w"), (std::vector<float>{1, 0.5F, 0.5F, -2}));
  EXPECT_EQ(result.model.graph.nodes.size(), 2U);
  EXPECT_EQ(
      result.notes,
      (std::vector<std::string>{
          "'norm_out': alpha 0.5, 2 channels divided by 1 to 2 in LayerNormalization 'norm'"}));
}

struct SourceCase {
  std::string name;
  // Adds the nodes that produce the smoothed tensor.
  std::function<std::string(ModelBuilder&)> make;
  int muls = 0;  // in the smoothed model
};

void PrintTo(const SourceCase& made, std::ostream* out) { *out << made.name; }

const SourceCase kSources[] = {
    {"BatchNormalization",
     [](ModelBuilder& b) {
       b.constant("variance", testing::random_tensor({4}, 5, 1, 2));
       return b.node("BatchNormalization",
                     {"x", b.random_weight("g", {4}, 1, 1), b.random_weight("s", {4}, 1, 2),
                      b.random_weight("m", {4}, 1, 3), "variance"});
     }},
    {"InstanceNormalization",
     [](ModelBuilder& b) {
       return b.node("InstanceNormalization",
                     {"x", b.random_weight("g", {4}, 1, 1), b.random_weight("s", {4}, 1, 2)});
     }},
    {"ConvThroughRelu",
     [](ModelBuilder& b) {
       const auto y = b.node(
           "Conv",
           {"x", b.random_weight("cw", {4, 2, 3, 3}, 1, 1), b.random_weight("cb", {4}, 1, 2)},
           {groups(2)});
       return b.node("Relu", {y});
     }},
    {"ConvTransposeWithoutBias",
     [](ModelBuilder& b) {
       return b.node("ConvTranspose", {"x", b.random_weight("cw", {4, 4, 2, 2}, 1, 1)});
     }},
    {"MulByAConstantPerChannel",
     [](ModelBuilder& b) {
       return b.node("Mul", {b.random_weight("f", {4, 1, 1}, 1, 1), b.node("Sigmoid", {"x"})});
     },
     1},
    {"ConstantsAddedBehind",
     [](ModelBuilder& b) {
       const auto y =
           b.node("Mul", {b.node("Sigmoid", {"x"}), b.random_weight("f", {4, 1, 1}, 1, 1)});
       const auto z = b.node("Add", {y, b.random_weight("a", {1, 4, 1, 1}, 1, 2)});
       return b.node("Sub", {z, b.random_weight("c", {1}, 1, 3)});
     },
     1},
    {"SigmoidNeedsAMul", [](ModelBuilder& b) { return b.node("Sigmoid", {"x"}); }, 1},
    {"TheInputNeedsAMul", [](ModelBuilder&) { return std::string("x"); }, 1},
    {"MulByANumberNeedsAMul",
     [](ModelBuilder& b) {
       return b.node("Mul", {b.node("Sigmoid", {"x"}), b.weight("half", {}, {0.5F})});
     },
     2},
};

class SmoothSources : public ::testing::TestWithParam<SourceCase> {};

TEST_P(SmoothSources, KeepTheFunction) {
  ModelBuilder builder;
  builder.input("x", {2, 4, 6, 6});
  const std::string tensor = GetParam().make(builder);
  const std::string a =
      builder.node("Conv", {tensor, builder.random_weight("a_w", {4, 4, 3, 3}, 1, 8)},
                   {{"pads", std::vector<std::int64_t>{1, 1, 1, 1}}});
  const std::string b =
      builder.node("Conv", {tensor, builder.random_weight("b_w", {4, 1, 1, 1}, 1, 9)}, {groups(4)});
  builder.output(a);
  builder.output(b);
  const Model model = built(builder);
  EXPECT_TRUE(can_smooth(model));
  for (const auto& alpha :
       {std::optional<double>(0.5), std::optional<double>(1), std::optional<double>()}) {
    const Smoothed result =
        smooth(model, {.samples = 1, .tensors = {{tensor, channels(4, false)}}}, {.alpha = alpha});
    EXPECT_TRUE(result.changed);
    EXPECT_EQ(count(result.model, "Mul"), GetParam().muls);
    EXPECT_LT(relative_difference(model, result.model), kSmoothRounding);
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, SmoothSources, ::testing::ValuesIn(kSources),
                         [](const auto& info) { return info.param.name; });

/// Three projections of one tensor, as in attention.
class Projections : public ::testing::Test {
 protected:
  Projections() {
    builder.input("x", {2, 3, 4});
    tensor = builder.node("Tanh", {"x"}, {}, "tanh");
    for (const char* name : {"q", "k", "v"})
      builder.output(builder.node(
          "MatMul", {tensor, builder.random_weight(std::string(name) + "_w", {4, 4}, 1, 3)}, {},
          name));
  }
  [[nodiscard]] Statistics statistics() const {
    return {.samples = 1, .tensors = {{tensor, channels(4, true)}}};
  }

  ModelBuilder builder;
  std::string tensor;
};

TEST_F(Projections, ShareOneMul) {
  const Model model = built(builder);
  const Smoothed result = smooth(model, statistics(), {});
  EXPECT_EQ(count(result.model, "Mul"), 1);
  EXPECT_EQ(result.model.graph.nodes[1].op_type, "Mul");  // before the first of its readers
  EXPECT_LT(relative_difference(model, result.model), kSmoothRounding);
}

TEST_F(Projections, OtherReadersKeepTheTensor) {
  builder.output(builder.node("Exp", {tensor}, {}, "other"));
  const Model model = built(builder);
  const Smoothed result = smooth(model, statistics(), {});
  EXPECT_EQ(result.model.graph.nodes.back().inputs[0], tensor);
  EXPECT_LT(relative_difference(model, result.model), kSmoothRounding);
}

TEST_F(Projections, AGraphOutputKeepsItsValues) {
  builder.output(tensor);
  const Model model = built(builder);
  EXPECT_LT(relative_difference(model, smooth(model, statistics(), {}).model), kSmoothRounding);
}

TEST_F(Projections, ATensorWithoutStatisticsIsUnchanged) {
  const Model model = built(builder);
  const Smoothed result = smooth(model, {}, {});
  EXPECT_FALSE(result.changed);
  EXPECT_EQ(result.model, model);
  EXPECT_EQ(result.notes,
            (std::vector<std::string>{"'tanh_out': its channels were not observed: it only "
                                      "rearranges a tensor that is rounded before it"}));
}

TEST_F(Projections, ALayerNormalizationWithAnotherReaderIsUnchanged) {
  ModelBuilder made;
  made.input("x", {2, 3, 4});
  made.random_weight("gain", {4}, 1, 1);
  const std::string y = made.node("LayerNormalization", {"x", "gain"}, {}, "norm");
  made.output(made.node("MatMul", {y, made.random_weight("w", {4, 4}, 1, 3)}));
  made.output(made.node("Exp", {y}));
  const Model model = built(made);
  const Smoothed result = smooth(model, {.samples = 1, .tensors = {{y, channels(4, true)}}}, {});
  EXPECT_EQ(weights_of(result.model, "gain"), weights_of(model, "gain"));
  EXPECT_EQ(count(result.model, "Mul"), 1);
  EXPECT_LT(relative_difference(model, result.model), kSmoothRounding);
}

TEST(Smooth, ASharedWeightIsScaledOnceForAllThatReadIt) {
  ModelBuilder builder;
  builder.input("x", {2, 4});
  builder.input("y", {2, 4});
  builder.random_weight("w", {4, 3}, 1, 1);
  builder.output(builder.node("MatMul", {"x", "w"}));
  builder.output(builder.node("MatMul", {"y", "w"}));
  const Model model = built(builder);
  Statistics statistics{.samples = 1,
                        .tensors = {{"x", channels(4, true)}, {"y", channels(4, true)}}};
  statistics.tensors["y"].channel_max[0] = 100;  // the larger of both maxima
  const Smoothed result = smooth(model, statistics, {.alpha = 1});
  EXPECT_EQ(result.model.graph.nodes[1].inputs[1], "w");
  EXPECT_EQ(result.model.graph.nodes[3].inputs[1], "w");
  const auto before = weights_of(model, "w");
  const auto after = weights_of(result.model, "w");
  const std::vector<float> scales = {100, 4, 16, 64};
  for (std::size_t i = 0; i < after.size(); ++i)
    EXPECT_NEAR(after[i], before[i] * scales[i / 3], 1e-4);
  EXPECT_LT(relative_difference(model, result.model), kSmoothRounding);
}

TEST(Smooth, AWeightThatAnotherOperatorReadsIsCopied) {
  ModelBuilder builder;
  builder.input("x", {2, 4});
  builder.random_weight("w", {4, 4}, 1, 1);
  builder.output(builder.node("MatMul", {"x", "w"}));
  builder.output(builder.node("Transpose", {"w"}));
  const Model model = built(builder);
  const Smoothed result = smooth(model, {.samples = 1, .tensors = {{"x", channels(4, true)}}}, {});
  EXPECT_EQ(weights_of(result.model, "w"), weights_of(model, "w"));
  EXPECT_LT(relative_difference(model, result.model), kSmoothRounding);
}

TEST(Smooth, ALayerBetweenTwoSmoothedTensorsKeepsTheFunction) {
  ModelBuilder builder;
  builder.input("x", {2, 4});
  std::string y = "x";
  Statistics statistics{.samples = 1, .tensors = {{"x", channels(4, true)}}};
  for (int layer = 0; layer < 3; ++layer) {
    const std::string name = std::to_string(layer);
    y = builder.node("Gemm",
                     {y, builder.random_weight("w" + name, {4, 4}, 1, 5),
                      builder.random_weight("b" + name, {4}, 1, 6)},
                     {{"beta", 2.0F}});
    y = builder.node("Relu", {y});
    statistics.tensors[y] = channels(4, true);
  }
  builder.output(y);
  const Model model = built(builder);
  const Smoothed result = smooth(model, statistics, {});
  EXPECT_EQ(result.notes.size(), 3U);
  EXPECT_EQ(count(result.model, "Mul"), 1);  // on the input alone
  EXPECT_LT(relative_difference(model, result.model), kSmoothRounding);
}

TEST(Smooth, DeadChannelsAreUnchanged) {
  ModelBuilder builder;
  builder.input("x", {2, 2});
  builder.weight("w", {2, 1}, {3, 5});
  builder.output(builder.node("MatMul", {"x", "w"}));
  Statistics statistics{.samples = 1, .tensors = {{"x", channels(2, true)}}};
  statistics.tensors["x"].channel_min[1] = 0;
  statistics.tensors["x"].channel_max[1] = 0;
  const Smoothed result = smooth(built(builder), statistics, {});
  EXPECT_EQ(weights_of(result.model, "w")[1], 5);
  EXPECT_EQ(weights_of(result.model, "x_smooth_factors")[1], 1);
}

TEST(Smooth, RefusesAnAlphaOutOfItsBounds) {
  for (const double alpha : {-0.1, 1.5, static_cast<double>(NAN)}) {
    try {
      (void)smooth({}, {}, {.alpha = alpha});
      FAIL() << alpha;
    } catch (const InvalidInput& error) {
      EXPECT_NE(std::string(error.what()).find("expected a number in [0, 1] or 'auto'"),
                std::string::npos);
    }
  }
}

}  // namespace
}  // namespace quantsearch
