#include "evaluate/latency.h"

#include <gtest/gtest.h>

#include "quantsearch/base/error.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

TEST(Latency, QuantilesInterpolateBetweenSortedTimes) {
  const Latency latency = summarize_times({5, 1, 3, 2, 4});
  EXPECT_DOUBLE_EQ(latency.median_ms, 3);
  EXPECT_DOUBLE_EQ(latency.p10_ms, 1.4);
  EXPECT_DOUBLE_EQ(latency.p90_ms, 4.6);
  EXPECT_EQ(latency.runs, 5);
}

TEST(Latency, OneTimeIsEveryQuantile) {
  const Latency latency = summarize_times({7});
  EXPECT_EQ(latency.p10_ms, 7);
  EXPECT_EQ(latency.median_ms, 7);
  EXPECT_EQ(latency.p90_ms, 7);
}

Model relu_model() {
  testing::ModelBuilder builder;
  builder.input("x", {-1, 4});
  builder.output(builder.node("Relu", {"x"}), {-1, 4});
  return builder.build();
}

TEST(Latency, MakesTheRequestedRunsAndReportsItsConditions) {
  const Latency latency = measure_latency(relu_model(), {{"x", testing::random_tensor({3, 4}, 1)}},
                                          {.minimum_runs = 25, .seconds = 0.001});
  EXPECT_GE(latency.runs, 25);
  EXPECT_EQ(latency.threads, 1);
  EXPECT_EQ(latency.batch, 3);
  EXPECT_GT(latency.median_ms, 0);
  EXPECT_LE(latency.p10_ms, latency.median_ms);
  EXPECT_LE(latency.median_ms, latency.p90_ms);
}

TEST(Latency, ACancelledTokenStopsIt) {
  const CancellationToken token;
  token.cancel();
  EXPECT_THROW((void)measure_latency(relu_model(), {{"x", testing::random_tensor({1, 4}, 1)}},
                                     {.token = token}),
               Cancelled);
}

TEST(Latency, IsMeasuredOnTheDevice) {
  EXPECT_THROW((void)measure_latency(relu_model(), {{"x", testing::random_tensor({1, 4}, 1)}},
                                     {.device = {.provider = "tpu"}}),
               InvalidInput);
}

TEST(Latency, RefusesNoThreads) {
  EXPECT_THROW((void)measure_latency(relu_model(), {}, {.threads = 0}), InvalidInput);
}

}  // namespace
}  // namespace quantsearch
