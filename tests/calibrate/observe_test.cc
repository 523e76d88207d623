#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "calibrate/made_statistics.h"
#include "quantsearch/base/error.h"
#include "quantsearch/runtime.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

struct Network {
  Model model;
  std::string hidden;
  std::string output;
};

Network conv_relu() {
  testing::ModelBuilder builder;
  const std::string input = builder.input("x", {-1, 2, 12, 12});
  const std::string weight = builder.random_weight("w", {4, 2, 3, 3}, 1, 5);
  const std::string hidden = builder.node("Conv", {input, weight});
  const std::string output = builder.node("Relu", {hidden});
  builder.output(output, {-1, 4, 10, 10});
  return {builder.build(), hidden, output};
}

Tensor images(std::int64_t count) { return testing::random_tensor({count, 2, 12, 12}, 8, -3, 5); }

ObserveOptions watching(std::vector<std::string> tensors) {
  return {.tensors = std::move(tensors)};
}

TEST(Observe, EqualsAnObserverOfEachTensor) {
  const Network network = conv_relu();
  const Tensor data = images(5);
  ThreadPool pool(2);
  const Statistics statistics = observe(network.model, *in_memory_data({{"x", data}}), pool,
                                        watching({network.output, "x", network.hidden}));
  EXPECT_EQ(statistics.samples, 5);
  ASSERT_EQ(statistics.tensors.size(), 3U);
  const auto session = open_session(network.model, {.taps = {network.hidden, network.output}});
  TensorObserver input, hidden, output;
  for (std::int64_t sample = 0; sample < 5; ++sample) {
    const Tensor one = data.rows(sample, 1);
    const Batch outputs = session->run({{"x", one}});
    input.add(sample, one);
    hidden.add(sample, outputs.at(network.hidden));
    output.add(sample, outputs.at(network.output));
  }
  EXPECT_EQ(statistics.tensors.at("x"), input.statistics());
  EXPECT_EQ(statistics.tensors.at(network.hidden), hidden.statistics());
  EXPECT_EQ(statistics.tensors.at(network.output), output.statistics());
  EXPECT_EQ(statistics.tensors.at(network.output).sample_max.size(), 5U);
}

TEST(Observe, GivesTheSameBitsForAnyThreadsAndMemory) {
  const Network network = conv_relu();
  const auto data = in_memory_data({{"x", images(9)}});
  ThreadPool one(1), three(3);
  ObserveOptions options = watching({"x", network.hidden, network.output});
  const Statistics expected = observe(network.model, *data, one, options);
  EXPECT_EQ(observe(network.model, *data, three, options), expected);
  options.memory_bytes = 1;  // one pass for each tensor
  EXPECT_EQ(observe(network.model, *data, three, options), expected);
}

TEST(Observe, TakesTheFirstSamplesOnly) {
  const Network network = conv_relu();
  const Tensor data = images(6);
  ThreadPool pool(2);
  ObserveOptions options = watching({network.output});
  const Statistics all_of_four =
      observe(network.model, *in_memory_data({{"x", data.rows(0, 4)}}), pool, options);
  options.samples = 4;
  EXPECT_EQ(observe(network.model, *in_memory_data({{"x", data}}), pool, options), all_of_four);
}

TEST(Observe, WithoutTensorsRunsNothing) {
  const Network network = conv_relu();
  ThreadPool pool(1);
  const Statistics statistics =
      observe(network.model, *in_memory_data({{"x", images(2)}}), pool, watching({}));
  EXPECT_EQ(statistics.samples, 2);
  EXPECT_TRUE(statistics.tensors.empty());
}

std::string refusal(const Network& network, const DataSource& data, const ObserveOptions& options,
                    int threads = 1) {
  ThreadPool pool(threads);
  try {
    (void)observe(network.model, data, pool, options);
  } catch (const InvalidInput& error) {
    return error.what();
  }
  return "";
}

TEST(Observe, NamesInputAndSampleOfANonFiniteValue) {
  const Network network = conv_relu();
  for (const std::int64_t bad : {0, 3}) {
    Tensor data = images(6);
    data.mutable_values<float>()[static_cast<std::size_t>(bad * 288 + 7)] =
        std::numeric_limits<float>::quiet_NaN();
    for (const int threads : {1, 3}) {
      EXPECT_EQ(refusal(network, *in_memory_data({{"x", data}}), watching({network.output, "x"}),
                        threads),
                "observe: input 'x' holds 1 NaN and 0 infinite values in sample " +
                    std::to_string(bad) +
                    " (counted from 0), expected finite values; take the sample out of the data");
    }
  }
}

TEST(Observe, CountsNonFiniteInnerValuesAndSummarizesTheRest) {
  testing::ModelBuilder builder;
  const std::string root = builder.node("Sqrt", {builder.input("x", {-1, 4})}, {}, "root");
  const std::string log = builder.node("Log", {root}, {}, "log");
  builder.output(log, {-1, 4});
  const Model model = builder.build();
  ThreadPool pool(1);
  const auto data = in_memory_data({{"x", Tensor::of<float>({2, 4}, {1, 1, 1, 1, -1, 0, 16, 1})}});
  const TensorStatistics seen = observe(model, *data, pool, watching({"x", log})).tensors.at(log);
  EXPECT_EQ(seen.count, 6U);
  EXPECT_EQ(seen.nan_count, 1U);
  EXPECT_EQ(seen.infinite_count, 1U);
  EXPECT_EQ(seen.first_non_finite_sample, 1);
  EXPECT_EQ(seen.min, 0);
  EXPECT_FLOAT_EQ(seen.max, std::log(4.0F));
  EXPECT_EQ(seen.channel_max, (std::vector<float>{0, 0, seen.max, 0}));
}

TEST(Observe, IgnoresOutputsThatAreNotTensors) {
  testing::ModelBuilder builder;
  const std::string relu = builder.node("Relu", {builder.input("x", {-1, 4})});
  Model model = [&] {
    builder.output(relu, {-1, 4});
    return builder.build();
  }();
  model.graph.nodes.push_back({.op_type = "SplitToSequence",
                               .domain = "",
                               .name = "split",
                               .inputs = {relu},
                               .outputs = {"parts"},
                               .attributes = {},
                               .extra = ""});
  model.graph.outputs.push_back(
      {.name = "parts", .type = DataType::undefined, .dimensions = std::nullopt, .extra = ""});
  ThreadPool pool(1);
  const auto data = in_memory_data({{"x", Tensor::of<float>({1, 4}, {1, 2, 3, 4})}});
  EXPECT_EQ(observe(model, *data, pool, watching({relu})).tensors.at(relu).max, 4);
}

TEST(Observe, RefusesATensorTheModelDoesNotHave) {
  const Network network = conv_relu();
  EXPECT_EQ(
      refusal(network, *in_memory_data({{"x", images(1)}}), watching({"nothing"})),
      "observe: the model has no tensor 'nothing', expected a graph input or an output of a node");
}

TEST(Observe, StopsWhenCancelled) {
  const Network network = conv_relu();
  ThreadPool pool(2);
  ObserveOptions options = watching({network.output});
  options.token.cancel();
  EXPECT_THROW((void)observe(network.model, *in_memory_data({{"x", images(3)}}), pool, options),
               Cancelled);
}

}  // namespace
}  // namespace quantsearch
