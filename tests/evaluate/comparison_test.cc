#include "quantsearch/evaluate/comparison.h"

#include <gtest/gtest.h>

#include "quantsearch/base/error.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

/// y = x * factor over two classes.
Model scaled(float factor) {
  testing::ModelBuilder builder;
  builder.input("x", {-1, 2});
  builder.output(builder.node("Mul", {"x", builder.constant("factor", Tensor::scalar(factor))}),
                 {-1, 2});
  return builder.build();
}

std::shared_ptr<const DataSource> two_samples() {
  return in_memory_data({{"x", Tensor::of<float>({2, 2}, {1.0F, 2.0F, 4.0F, 3.0F})}});
}

Comparison compared(const ComparisonOptions& options, const std::optional<Labels>& labels = {}) {
  const Model float_model = scaled(1);
  const Model candidate = scaled(-1);
  ThreadPool pool(1);
  return compare_models(
      {.float_model = float_model, .candidate = candidate, .data = two_samples(), .labels = labels},
      options, pool, ByteBudget(1 << 20));
}

TEST(CompareModels, ScoresBothByEveryMetricThatTheDataAllow) {
  const Comparison without = compared({});
  EXPECT_EQ(without.samples, 2);
  EXPECT_FALSE(without.candidate.metrics.contains("top1"));
  // The difference is twice each input: 2, 4, 8 and 6.
  EXPECT_DOUBLE_EQ(without.candidate.metrics.at("L1"), 5);
  EXPECT_DOUBLE_EQ(without.candidate.metrics.at("L2"), 30);
  EXPECT_DOUBLE_EQ(without.float_model.metrics.at("L2"), 0);
  EXPECT_FALSE(without.candidate.latency);
  EXPECT_FALSE(without.own_noise);
  const Comparison with = compared({}, Labels{1, 0});
  EXPECT_DOUBLE_EQ(with.float_model.metrics.at("top1"), 1);
  EXPECT_DOUBLE_EQ(with.candidate.metrics.at("top1"), 0);
}

TEST(CompareModels, KeepsToTheGivenMetricsAndMeasuresLatenciesOnRequest) {
  const Comparison comparison = compared({.metrics = {Metric::l1}, .latency = true});
  EXPECT_EQ(comparison.candidate.metrics.size(), 1u);
  EXPECT_GT(comparison.float_model.latency.value().median_ms, 0);
  EXPECT_GT(comparison.candidate.latency.value().median_ms, 0);
}

TEST(CompareModels, IsAMappingForPrograms) {
  const Value value = to_value(compared({.metrics = {Metric::l1}}));
  EXPECT_EQ(*value.find("quantized")->find("scores"), (Value::Map{{"L1", 5.0}}));
  EXPECT_TRUE(value.find("quantized")->find("latency_ms")->is_null());
  EXPECT_EQ(*value.find("samples"), Value(2));
  EXPECT_TRUE(value.find("float_rel_l2_against_itself")->is_null());
  EXPECT_GT(value.find("float")->find("size_bytes")->as_int(), 0);
}

}  // namespace
}  // namespace quantsearch
