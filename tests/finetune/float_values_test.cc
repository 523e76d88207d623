// Tests the values of the float model, which are computed at once for a small model and piece by
// piece for a large one.

#include "finetune/float_values.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "quantsearch/runtime.h"
#include "support/model_builder.h"

namespace quantsearch::reconstruction {
namespace {

using testing::ModelBuilder;

constexpr std::int64_t kChainSamples = 3;

struct Chain {
  explicit Chain(std::int64_t side) {
    ModelBuilder builder;
    const std::string x = builder.input("x", {1, 2, side, side});
    first = builder.node("Conv", {x, builder.random_weight("w1", {2, 2, 1, 1}, 1, 1)});
    second = builder.node(
        "Conv", {builder.node("Relu", {first}), builder.random_weight("w2", {2, 2, 1, 1}, 1, 2)});
    builder.output(second, {1, 2, side, side});
    model = builder.build();
    data = in_memory_data({{"x", testing::random_tensor({kChainSamples, 2, side, side}, 3)}});
  }
  [[nodiscard]] int last_node() const { return static_cast<int>(model.graph.nodes.size()) - 1; }

  Model model;
  std::string first;
  std::string second;
  std::shared_ptr<const DataSource> data;
};

class FloatValuesTest : public ::testing::Test {
 protected:
  FloatValues values_of(const Chain& chain) {
    return {chain.model,  *chain.data, kChainSamples, {"x", chain.first, chain.second},
            environment_, budget_,     folder_};
  }

  ThreadPool pool_{2};
  ByteBudget budget_{std::int64_t{1} << 30};
  FinetuneEnvironment environment_{
      .pool = pool_, .budget = budget_, .cache_folder = {}, .token = {}, .log = {}};
  SpillFolder folder_{{}};
};

TEST_F(FloatValuesTest, AreAvailableAtOnceForASmallModel) {
  const Chain chain(4);
  const FloatValues values = values_of(chain);
  const auto session = open_session(chain.model, {.taps = {chain.first}});
  for (std::int64_t sample = 0; sample < kChainSamples; ++sample) {
    const Batch inputs = chain.data->read(sample, 1);
    const Batch expected = session->run(inputs);
    EXPECT_EQ(values.value("x", sample), inputs.at("x"));
    EXPECT_EQ(values.value(chain.first, sample), expected.at(chain.first));
    EXPECT_EQ(values.value(chain.second, sample), expected.at(chain.second));
  }
}

TEST_F(FloatValuesTest, AreComputedPieceByPieceForALargeModel) {
  const Chain chain(1800);  // 25 MiB per tensor and sample
  FloatValues values = values_of(chain);
  EXPECT_THROW((void)values.value(chain.first, 0), std::exception);
  values.advance({chain.last_node()}, {chain.first});
  EXPECT_EQ(values.value(chain.first, 0).shape(), (Shape{1, 2, 1800, 1800}));
  EXPECT_THROW((void)values.value(chain.second, 0), std::exception);
  values.advance({}, {chain.second});
  const Tensor expected = open_session(chain.model)->run(chain.data->read(2, 1)).begin()->second;
  EXPECT_NEAR(values.value(chain.second, 2).values<float>()[77], expected.values<float>()[77],
              1e-5);
}

TEST_F(FloatValuesTest, AreTakenFromTheEnvironment) {
  const Chain chain(4);
  std::vector<std::string> asked;
  environment_.activations = [&](const std::vector<std::string>& tensors, std::int64_t samples) {
    asked = tensors;
    return std::make_shared<const FloatActivations>(
        float_activations(chain.model, *chain.data, tensors, samples, environment_));
  };
  EXPECT_EQ(values_of(chain).value(chain.first, 0).shape(), (Shape{1, 2, 4, 4}));
  std::ranges::sort(asked);
  std::vector<std::string> made = {chain.first, chain.second};
  std::ranges::sort(made);
  EXPECT_EQ(asked, made);
}

TEST_F(FloatValuesTest, CountTheirBytes) {
  const Chain chain(4);
  const FloatActivations made =
      float_activations(chain.model, *chain.data, {chain.first}, kChainSamples, environment_);
  EXPECT_EQ(bytes_of(made), kChainSamples * 2 * 4 * 4 * 4);
}

}  // namespace
}  // namespace quantsearch::reconstruction
