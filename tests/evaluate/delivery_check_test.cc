#include "quantsearch/evaluate/delivery_check.h"

#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "quantsearch/base/error.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

constexpr double kForever = 1e9;

/// A session that returns what a function computes.
class Fake final : public Session {
 public:
  explicit Fake(std::function<Batch(float)> function) : function_(std::move(function)) {}
  [[nodiscard]] Batch run(const Batch& inputs, const CancellationToken& /*token*/) const override {
    ++runs;
    return function_(inputs.at("x").values<float>()[0]);
  }

  mutable int runs = 0;

 private:
  std::function<Batch(float)> function_;
};

Tensor two(float a, float b) { return Tensor::of<float>({2}, {a, b}); }

std::shared_ptr<const DataSource> counting_samples(std::int64_t count) {
  std::vector<float> values;
  for (std::int64_t i = 0; i < count; ++i) values.push_back(static_cast<float>(i + 1));
  return in_memory_data({{"x", Tensor::of<float>({count, 1}, values)}});
}

std::vector<ValueInfo> declared(const std::vector<std::string>& outputs) {
  std::vector<ValueInfo> values;
  for (const std::string& output : outputs)
    values.push_back({.name = output, .dimensions = {}, .extra = {}});
  return values;
}

DeliveryCheck check(const Fake& of_float, const Fake& quantized, std::int64_t count,
                    const std::vector<std::string>& outputs, const Fake* graph = nullptr) {
  return check_sessions({.float_model = of_float,
                         .quantized = quantized,
                         .graph = graph,
                         .outputs = declared(outputs)},
                        *counting_samples(count), {.seconds = kForever});
}

TEST(DeliveryCheck, AddsEnergiesOverTheSamplesBeforeItDivides) {
  // Samples 1 and 2: the first output has the signal 1 + 4 and the noise .25 + 0; the second has no
  // noise.
  const Fake of_float([](float x) { return Batch{{"y", two(x, 0)}, {"z", two(1, 1)}}; });
  const Fake quantized([](float x) {
    return Batch{{"y", two(x == 1 ? 1.5F : x, 0)}, {"z", two(1, 1)}};
  });
  const DeliveryCheck result = check(of_float, quantized, 2, {"y", "z"});
  EXPECT_EQ(result.samples, 2);
  ASSERT_EQ(result.outputs.size(), 2U);
  EXPECT_EQ(result.outputs[0].output, "y");
  EXPECT_DOUBLE_EQ(result.outputs[0].rel_l2, 0.05);
  EXPECT_EQ(result.outputs[1].rel_l2, 0);
  EXPECT_FALSE(result.outputs[0].graph_rel_l2.has_value());
}

TEST(DeliveryCheck, FindsTheSliceThatALargeOneHides) {
  // Two columns over eight samples hold 100 and 1. The second one loses half of its amplitude, that
  // is, a quarter of its energy.
  const Fake of_float([](float) { return Batch{{"y", two(100, 1)}}; });
  const Fake quantized([](float) { return Batch{{"y", two(100, 0.5F)}}; });
  const Fake graph([](float) { return Batch{{"y", two(100, 1)}}; });
  const DeliveryCheck result = check(of_float, quantized, 8, {"y"}, &graph);
  EXPECT_DOUBLE_EQ(result.outputs[0].rel_l2, 0.25 / 10001);
  EXPECT_DOUBLE_EQ(result.outputs[0].worst_slice, 0.25);
  EXPECT_EQ(result.outputs[0].graph_rel_l2, 0);
}

TEST(DeliveryCheck, RunsAtMostSixteenSamplesSpreadOverTheData) {
  std::vector<float> seen;
  const Fake of_float([&](float x) {
    if (seen.empty() || seen.back() != x) seen.push_back(x);
    return Batch{{"y", two(x, x)}};
  });
  const Fake quantized([](float x) { return Batch{{"y", two(x, x)}}; });
  EXPECT_EQ(check(of_float, quantized, 32, {"y"}).samples, 16);
  ASSERT_GE(seen.size(), 16U);
  EXPECT_EQ(seen[0], 1);
  EXPECT_EQ(seen[1], 3);
  EXPECT_EQ(seen[15], 31);
}

TEST(DeliveryCheck, WithoutTimeItUsesOneSampleAndOnePair) {
  const Fake model([](float x) { return Batch{{"y", two(x, x)}}; });
  const Fake quantized([](float x) { return Batch{{"y", two(x, x)}}; });
  const DeliveryCheck result =
      check_sessions({.float_model = model, .quantized = quantized, .outputs = declared({"y"})},
                     *counting_samples(8), {.seconds = 0});
  EXPECT_EQ(result.samples, 1);
  EXPECT_EQ(result.latency.pairs, 1);
  EXPECT_EQ(model.runs, 2);
  EXPECT_EQ(quantized.runs, 2);
}

TEST(DeliveryCheck, NonFiniteValuesOfTheFloatModelDoNotCount) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  const Fake of_float([](float) { return Batch{{"y", two(2, kNan)}}; });
  const Fake quantized([](float) { return Batch{{"y", two(1, 5)}}; });
  EXPECT_DOUBLE_EQ(check(of_float, quantized, 1, {"y"}).outputs[0].rel_l2, 0.25);
}

TEST(DeliveryCheck, NonFiniteValuesOfTheQuantizedModelAloneDestroyTheOutput) {
  const Fake of_float([](float) { return Batch{{"y", two(2, 1)}}; });
  const Fake quantized([](float) {
    return Batch{{"y", two(2, std::numeric_limits<float>::infinity())}};
  });
  EXPECT_EQ(check(of_float, quantized, 1, {"y"}).outputs[0].rel_l2, 1e6);
}

TEST(DeliveryCheck, AnOutputOfAnotherShapeIsNamedAndNotCompared) {
  const Fake of_float([](float) { return Batch{{"y", two(2, 1)}}; });
  const Fake quantized([](float) { return Batch{{"y", Tensor::of<float>({1}, {2})}}; });
  const DeliveryCheck result = check(of_float, quantized, 1, {"y"});
  EXPECT_EQ(result.outputs[0].skipped,
            "its shape depends on the data: [2] in float, [1] quantized");
  EXPECT_TRUE(delivery_warnings({.samples = 1, .outputs = result.outputs, .latency = {}}).empty());
}

TEST(DeliveryCheck, AModelThatDoesNotRunThrowsWhatTheRunThrows) {
  const Fake of_float([](float x) { return Batch{{"y", two(x, x)}}; });
  const Fake quantized([](float) -> Batch { throw IoError("run: no"); });
  EXPECT_THROW((void)check(of_float, quantized, 1, {"y"}), IoError);
}

TEST(DeliveryCheck, OfAModelWithItselfFindsNoNoise) {
  testing::ModelBuilder builder;
  builder.input("x", {-1, 1});
  builder.output(builder.node("Relu", {"x"}, {}, "bend"), {-1, 1});
  const Model model = builder.build();
  const DeliveryCheck result = check_delivery(model, model, *counting_samples(3),
                                              {.seconds = kForever, .compare_with_graph = true});
  EXPECT_EQ(result.samples, 3);
  EXPECT_EQ(result.outputs[0].output, "bend_out");
  EXPECT_EQ(result.outputs[0].rel_l2, 0);
  EXPECT_EQ(result.outputs[0].graph_rel_l2, 0);
}

DeliveryCheck fine() {
  return {.samples = 4,
          .outputs = {{.output = "y", .rel_l2 = 0.01}},
          .latency = {.float_ms = 4, .quantized_ms = 2, .ratio = 0.5, .pairs = 4}};
}

TEST(DeliveryWarnings, AGoodModelHasNone) { EXPECT_TRUE(delivery_warnings(fine()).empty()); }

TEST(DeliveryWarnings, NameAnOutputThatIsDestroyed) {
  DeliveryCheck result = fine();
  result.outputs[0].rel_l2 = 0.25;
  EXPECT_EQ(delivery_warnings(result),
            std::vector<std::string>{
                "output 'y' has the relative noise 0.25, above 0.1: little is left of it; try "
                "include_fast_ft, a "
                "wider activation_type (QUInt16), or a search, which compares them"});
}

TEST(DeliveryWarnings, NameASliceThatIsDestroyed) {
  DeliveryCheck result = fine();
  result.outputs[0].worst_slice = 0.5;
  EXPECT_EQ(
      delivery_warnings(result),
      std::vector<std::string>{
          "output 'y' has the relative noise 0.5 in its worst slice, above 0.1: little is left of "
          "it; try "
          "include_fast_ft, a wider activation_type (QUInt16), or a search, which compares them"});
}

TEST(DeliveryWarnings, ReportAModelThatIsSlowerThanFloat) {
  DeliveryCheck result = fine();
  result.latency = {.float_ms = 2, .quantized_ms = 3, .ratio = 1.5, .pairs = 4};
  EXPECT_EQ(delivery_warnings(result),
            std::vector<std::string>{"the quantized model takes 1.50 times as long as the float "
                                     "model (3 ms against 2 ms); try a search, which leaves "
                                     "operators float where that is faster on this machine, or "
                                     "fewer operator types (op_types_to_quantize: [Conv, Gemm, "
                                     "MatMul])"});
}

TEST(DeliveryWarnings, MicrosecondsDoNotCount) {
  DeliveryCheck result = fine();
  result.latency = {.float_ms = 0.01, .quantized_ms = 0.02, .ratio = 2, .pairs = 4};
  EXPECT_TRUE(delivery_warnings(result).empty());
}

TEST(DeliveryWarnings, ReportArithmeticThatDiffersByMoreThanRounding) {
  DeliveryCheck result = fine();
  result.outputs[0].graph_rel_l2 = 0.009;
  EXPECT_TRUE(delivery_warnings(result).empty());
  result.outputs[0].graph_rel_l2 = 0.001;
  EXPECT_EQ(delivery_warnings(result),
            std::vector<std::string>{
                "output 'y' has the relative noise 0.01 on this processor, and 0.001 where the "
                "graph is computed as "
                "it says: its integer kernels saturate; use target cpu, or reduce_range"});
}

TEST(DeliveryWarnings, AdviseNothingThatIsInUse) {
  DeliveryCheck result = fine();
  result.outputs[0] = {.output = "y", .rel_l2 = 0.25, .graph_rel_l2 = 0.001};
  result.latency = {.float_ms = 2, .quantized_ms = 3, .ratio = 1.5, .pairs = 4};
  const OpenRemedies none{.target_cpu = false,
                          .reduce_range = false,
                          .reconstruction = false,
                          .wide_activations = false,
                          .fewer_operators = false};
  EXPECT_EQ(delivery_warnings(result, none),
            (std::vector<std::string>{
                "output 'y' has the relative noise 0.25 on this processor, and 0.001 where the "
                "graph is computed as it says: its integer kernels saturate",
                "output 'y' has the relative noise 0.25, above 0.1: little is left of it; try a "
                "search, which compares range methods and types",
                "the quantized model takes 1.50 times as long as the float model (3 ms against 2 "
                "ms); try a search, which leaves operators float where that is faster on this "
                "machine"}));
}

TEST(DeliveryWarnings, SayNothingOfThisProcessorForAnother) {
  DeliveryCheck result = fine();
  result.outputs[0].graph_rel_l2 = 0.001;
  result.latency = {.float_ms = 2, .quantized_ms = 3, .ratio = 1.5, .pairs = 4};
  EXPECT_EQ(delivery_warnings(result).size(), 2U);
  EXPECT_TRUE(delivery_warnings(result, {.on_cpu = false}).empty());
}

TEST(SaturationAdvice, NamesWhatIsLeft) {
  EXPECT_EQ(saturation_advice({}), "; use target cpu, or reduce_range");
  EXPECT_EQ(saturation_advice({.reduce_range = false}), "; use target cpu");
  EXPECT_EQ(saturation_advice({.target_cpu = false}), "; use reduce_range");
  EXPECT_EQ(saturation_advice({.target_cpu = false, .reduce_range = false}), "");
}

}  // namespace
}  // namespace quantsearch
