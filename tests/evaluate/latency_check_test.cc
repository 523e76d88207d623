#include "quantsearch/internal/evaluate/latency_check.h"

#include <gtest/gtest.h>

#include "quantsearch/base/error.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

Model one_relu() {
  testing::ModelBuilder builder;
  builder.input("x", {-1, 4});
  builder.output(builder.node("Relu", {"x"}), {-1, 4});
  return builder.build();
}

TEST(LatencyCheck, MeasuresModelsWithTheSameKernelsOnce) {
  const Model model = one_relu();
  LatencyCheck check(model, {{"x", testing::random_tensor({1, 4}, 1)}}, {});
  const PairedLatency first = check.measure(model, {});
  const PairedLatency second = check.measure(model, {});
  EXPECT_GT(first.float_ms, 0);
  EXPECT_EQ(second.float_ms, first.float_ms);
  EXPECT_EQ(second.quantized_ms, first.quantized_ms);
}

TEST(LatencyCheck, RunsOnTheDevice) {
  const Model model = one_relu();
  LatencyCheck check(model, {{"x", testing::random_tensor({1, 4}, 1)}},
                     {.device = {.provider = "tpu"}});
  EXPECT_THROW((void)check.measure(model, {}), InvalidInput);
}

/// Otherwise another model with its kernels would have the latency 0.
TEST(LatencyCheck, KeepsNothingOfAModelThatDoesNotLoad) {
  const Model model = one_relu();
  Model broken = model;
  broken.graph.nodes[0].op_type = "NoSuchOperator";
  LatencyCheck check(model, {{"x", testing::random_tensor({1, 4}, 1)}}, {});
  for (int attempt = 0; attempt < 2; ++attempt)
    EXPECT_THROW((void)check.measure(broken, {}), InvalidInput) << attempt;
}

}  // namespace
}  // namespace quantsearch
