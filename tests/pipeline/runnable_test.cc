#include "quantsearch/pipeline/runnable.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "quantsearch/base/error.h"
#include "quantsearch/evaluate/delivery_check.h"
#include "support/budgets.h"
#include "support/model_builder.h"
#include "support/padded_model.h"

namespace quantsearch {
namespace {

using testing::kPlenty;

const std::string kFailure =
    "run: ONNX Runtime failed: Non-zero status code returned while running Softmax node. "
    "Name:'middle' "
    "Status Message: no";

/// A model x -> MatMul first -> Softmax middle -> MatMul second -> MatMul third.
Model chain() {
  testing::ModelBuilder builder;
  builder.input("x", {-1, 4});
  builder.node("MatMul", {"x", builder.random_weight("a", {4, 4}, 1, 1)}, {}, "first");
  builder.node("Softmax", {"first_out"}, {}, "middle");
  builder.node("MatMul", {"middle_out", builder.random_weight("b", {4, 4}, 1, 2)}, {}, "second");
  builder.output(
      builder.node("MatMul", {"second_out", builder.random_weight("c", {4, 4}, 1, 3)}, {}, "third"),
      {-1, 4});
  return builder.build();
}

class BuildRunnable : public ::testing::Test {
 protected:
  RunnableCandidate build(const std::function<void(Candidate&)>& run) {
    return build_runnable(
        settings_, [this](const QuantizationConfig& config) { return pipeline_.build(config, {}); },
        run);
  }

  ThreadPool pool_{1};
  Settings settings_ = settings_from(Value());
  Pipeline pipeline_{chain(),
                     in_memory_data({{"x", testing::random_tensor({8, 4}, 5)}}),
                     pool_,
                     ByteBudget(kPlenty),
                     {}};
};

TEST_F(BuildRunnable, AModelThatRunsIsBuiltOnce) {
  int runs = 0;
  const RunnableCandidate made = build([&](Candidate&) { ++runs; });
  EXPECT_EQ(runs, 1);
  EXPECT_TRUE(made.left_float.empty());
}

TEST_F(BuildRunnable, NeighboursOfTheFailingNodeStayFloat) {
  int runs = 0;
  const RunnableCandidate made = build([&](Candidate&) {
    if (++runs == 1) throw IoError(kFailure);
  });
  EXPECT_EQ(runs, 2);
  ASSERT_EQ(made.left_float.size(), 1U);
  EXPECT_EQ(made.left_float[0].nodes, (std::vector<std::string>{"first", "second"}));
  EXPECT_EQ(made.left_float[0].reason, kFailure.substr(5));
  EXPECT_EQ(
      to_string(made.left_float[0]),
      "first, second stay float, because the quantized model did not run: " + kFailure.substr(5));
}

TEST_F(BuildRunnable, TheFinalSettingsBuildARunningModelAtOnce) {
  int runs = 0;
  const RunnableCandidate made = build([&](Candidate&) {
    if (++runs == 1) throw IoError(kFailure);
  });
  const Settings settings = with_excluded_nodes(settings_, all_nodes(made.left_float));
  EXPECT_EQ(settings_from(to_value(settings)), settings);
  EXPECT_EQ(pipeline_.build(resolve(settings), {}).key, made.candidate.key);
}

TEST_F(BuildRunnable, NodesThatTheUserExcludesStayExcluded) {
  settings_["nodes_to_exclude"] = Value::List{"third"};
  int runs = 0;
  try {
    (void)build([&](Candidate&) {
      ++runs;
      throw IoError(kFailure);
    });
    FAIL() << "no error";
  } catch (const Unsupported& error) {
    EXPECT_EQ(std::string(error.what()),
              "check: the quantized model does not run (" + kFailure.substr(5) +
                  "), also with 2 of its nodes left float; leave out the nodes around the failing "
                  "one with nodes_to_exclude, or "
                  "operator types with op_types_to_exclude");
  }
  EXPECT_EQ(runs, 1);
}

TEST_F(BuildRunnable, ARepeatedFailureExcludesMoreNodesAndEndsAsAnError) {
  std::vector<std::size_t> on_integers;
  EXPECT_THROW((void)build([&](Candidate& candidate) {
                 on_integers.push_back(static_cast<std::size_t>(std::ranges::count(
                     candidate.quantized->layers, true, &LayerRecord::quantized)));
                 throw IoError(kFailure);
               }),
               Unsupported);
  EXPECT_EQ(on_integers, (std::vector<std::size_t>{3, 1}));
}

TEST_F(BuildRunnable, AFailureThatNamesNoNodeIsRethrown) {
  int runs = 0;
  EXPECT_THROW((void)build([&](Candidate&) {
                 ++runs;
                 throw InvalidInput("evaluate: output 'y' of the candidate holds NaN");
               }),
               InvalidInput);
  EXPECT_EQ(runs, 1);
}

TEST(BuildRunnableOnTheRuntime, DeliversAModelThatRuns) {
  ThreadPool pool(1);
  const auto data = in_memory_data({{"x", testing::padded_input()}});
  Pipeline pipeline(testing::padded_between_convolutions(), data, pool, ByteBudget(kPlenty), {});
  const RunnableCandidate made = build_runnable(
      settings_from(Value()),
      [&](const QuantizationConfig& config) { return pipeline.build(config, {}); },
      [&](const Candidate& candidate) {
        prove_that_it_runs(candidate.quantized->model, data->read(0, 1));
      });
  prove_that_it_runs(made.candidate.quantized->model, data->read(1, 1));
  // ONNX Runtime 1.29 fails in a Gather that it adds next to the Pad. With a release that does not
  // fail, no node is left float.
  for (const LeftFloat& left : made.left_float)
    EXPECT_EQ(left.nodes, (std::vector<std::string>{"bend", "third"}));
}

}  // namespace
}  // namespace quantsearch
