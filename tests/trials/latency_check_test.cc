#include <gtest/gtest.h>

#include "quantsearch/base/error.h"
#include "quantsearch/internal/trials/executor.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

Model relu_model() {
  testing::ModelBuilder builder;
  builder.input("x", {-1, 4});
  builder.output(builder.node("Relu", {"x"}), {-1, 4});
  return builder.build();
}

TEST(LatencyCheck, MeasuresModelsWithTheSameKernelsOnce) {
  const Model model = relu_model();
  LatencyCheck check(model, {{"x", testing::random_tensor({1, 4}, 1)}}, {});
  const PairedLatency first = check.measure(model, {});
  const PairedLatency second = check.measure(model, {});
  EXPECT_GT(first.float_ms, 0);
  EXPECT_EQ(second.float_ms, first.float_ms);
  EXPECT_EQ(second.quantized_ms, first.quantized_ms);
}

TEST(LatencyCheck, RunsOnTheDevice) {
  const Model model = relu_model();
  LatencyCheck check(model, {{"x", testing::random_tensor({1, 4}, 1)}},
                     {.device = {.provider = "tpu"}});
  EXPECT_THROW((void)check.measure(model, {}), InvalidInput);
}

}  // namespace
}  // namespace quantsearch
