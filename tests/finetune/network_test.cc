// A model that is run in pieces must have the same outputs as in one run, whichever nodes are held.

#include "finetune/network.h"

#include <gtest/gtest.h>

#include <cmath>

#include "quantsearch/runtime.h"
#include "support/model_builder.h"

namespace quantsearch::reconstruction {
namespace {

using testing::ModelBuilder;

constexpr std::int64_t kNetworkSamples = 3;

/// Two convolutions and a residual join, with a Q/DQ pair after the first convolution.
Model residual_model() {
  ModelBuilder builder;
  builder.input("x", {1, 2, 4, 4});
  builder.constant("scale", Tensor::scalar<float>(0.02F));
  builder.constant("zero", Tensor::scalar<std::uint8_t>(100));
  const std::string first =
      builder.node("Conv", {"x", builder.random_weight("w1", {2, 2, 1, 1}, 1, 1)}, {}, "first");
  const std::string integers = builder.node("QuantizeLinear", {first, "scale", "zero"});
  const std::string read = builder.node("DequantizeLinear", {integers, "scale", "zero"});
  const std::string second =
      builder.node("Conv", {read, builder.random_weight("w2", {2, 2, 1, 1}, 1, 2)}, {}, "second");
  builder.output(builder.node("Add", {second, read}, {}, "join"), {1, 2, 4, 4});
  return builder.build();
}

std::shared_ptr<const DataSource> data() {
  return in_memory_data({{"x", testing::random_tensor({kNetworkSamples, 2, 4, 4}, 3)}});
}

class NetworkTest : public ::testing::Test {
 protected:
  int node(const std::string& name) const {
    for (std::size_t at = 0; at < model_.graph.nodes.size(); ++at) {
      if (model_.graph.nodes[at].name == name) return static_cast<int>(at);
    }
    return -1;
  }
  Tensor whole(const std::string& tensor, std::int64_t sample) const {
    return open_session(model_, {.optimize = false, .taps = {tensor}})
        ->run(data_->read(sample, 1))
        .at(tensor);
  }

  ThreadPool pool_{2};
  Model model_ = residual_model();
  std::shared_ptr<const DataSource> data_ = data();
  FinetuneEnvironment environment_{
      .pool = pool_, .budget = ByteBudget(1 << 20), .cache_folder = {}, .token = {}, .log = {}};
  SpillFolder folder_{{}};
};

TEST_F(NetworkTest, HasOnlyGraphInputsBeforeItRuns) {
  const Network network(model_, *data_, kNetworkSamples, environment_, ByteBudget(1 << 20),
                        folder_);
  EXPECT_TRUE(network.has("x"));
  EXPECT_FALSE(network.has("first_out"));
  EXPECT_EQ(network.value("x", 1), data_->read(1, 1).at("x"));
}

TEST_F(NetworkTest, StopsBeforeHeldNodesAndHasTheirInputs) {
  Network network(model_, *data_, kNetworkSamples, environment_, ByteBudget(1 << 20), folder_);
  network.advance({node("second")}, {});
  const std::string input = model_.graph.nodes[static_cast<std::size_t>(node("second"))].inputs[0];
  ASSERT_TRUE(network.has(input));
  for (std::int64_t sample = 0; sample < kNetworkSamples; ++sample)
    EXPECT_EQ(network.value(input, sample), whole(input, sample));
  EXPECT_FALSE(network.has("second_out"));
}

TEST_F(NetworkTest, PiecesGiveTheOutputsOfTheWholeModel) {
  Network network(model_, *data_, kNetworkSamples, environment_, ByteBudget(1 << 20), folder_);
  network.advance({node("first"), node("second")}, {});
  network.advance({node("second")}, {});
  const std::string output = model_.graph.outputs[0].name;
  network.run_to_outputs({output}, [&](std::int64_t sample, const Batch& outputs) {
    const Tensor expected = whole(output, sample);
    for (std::int64_t at = 0; at < expected.size(); ++at) {
      const auto index = static_cast<std::size_t>(at);
      EXPECT_NEAR(outputs.at(output).values<float>()[index], expected.values<float>()[index], 1e-6);
    }
  });
  network.advance({}, {});
  EXPECT_TRUE(network.has(output));
}

TEST_F(NetworkTest, UnfinishedNodesReadReplacedWeights) {
  Network network(model_, *data_, kNetworkSamples, environment_, ByteBudget(1 << 20), folder_);
  network.advance({node("second")}, {});
  network.replace_initializer("w2", Tensor(DataType::float32, {2, 2, 1, 1}));
  network.advance({}, {});
  const std::string read = model_.graph.nodes[static_cast<std::size_t>(node("second"))].inputs[0];
  EXPECT_EQ(network.value(model_.graph.outputs[0].name, 0),
            whole(read, 0));  // the weights are zero, so the join adds zero
}

TEST_F(NetworkTest, TensorsWithoutFurtherReadersAreDropped) {
  Network network(model_, *data_, kNetworkSamples, environment_, ByteBudget(1 << 20), folder_);
  network.advance({node("second")}, {"first_out"});
  EXPECT_TRUE(network.has("first_out"));
  network.advance({}, {});
  EXPECT_FALSE(network.has("first_out"));
}

TEST_F(NetworkTest, ValuesAreReadFromDiskWithoutAMemoryBudget) {
  const FinetuneEnvironment poor{
      .pool = pool_, .budget = ByteBudget(1), .cache_folder = {}, .token = {}, .log = {}};
  Network network(model_, *data_, kNetworkSamples, poor, ByteBudget(1), folder_);
  network.advance({node("second")}, {});
  const std::string input = model_.graph.nodes[static_cast<std::size_t>(node("second"))].inputs[0];
  EXPECT_EQ(network.value(input, 2), whole(input, 2));
}

}  // namespace
}  // namespace quantsearch::reconstruction
