#include "quantsearch/pipeline/pipeline.h"

#include <gtest/gtest.h>

#include "quantsearch/base/error.h"
#include "support/budgets.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

using testing::kPlenty;

/// With first = x and second = -x, the largest value of one output is the smallest of the other.
Model two_sided() {
  testing::ModelBuilder builder;
  builder.input("x", {-1, 2});
  builder.constant("one", Tensor::of<float>({2, 2}, {1, 0, 0, 1}));
  builder.constant("minus", Tensor::of<float>({2, 2}, {-1, 0, 0, -1}));
  builder.output(builder.node("MatMul", {"x", "one"}, {}, "first"), {-1, 2});
  builder.output(builder.node("MatMul", {"x", "minus"}, {}, "second"), {-1, 2});
  return builder.build();
}

std::shared_ptr<const DataSource> data() {
  return in_memory_data({{"x", Tensor::of<float>({2, 2}, {3, 1, 2, -2})}});
}

class PipelineTest : public ::testing::Test {
 protected:
  Reference reference(const std::string& logits_output, const Labels& labels) {
    return {model_,
            data(),
            labels,
            pool_,
            ByteBudget(kPlenty),
            {.batch = 1, .logits_output = logits_output}};
  }
  double top1(const std::string& logits_output, const Labels& labels) {
    Candidate candidate = pipeline_.build(resolve(settings_from(Value())), CancellationToken());
    return pipeline_.score(candidate, reference(logits_output, labels), {.metrics = {Metric::top1}})
        .metrics.at("top1");
  }

  ThreadPool pool_{1};
  Model model_ = two_sided();
  Pipeline pipeline_{model_, data(), pool_, ByteBudget(kPlenty), {}};
};

TEST_F(PipelineTest, ScoresOfDifferentLogitsAreNotShared) {
  EXPECT_EQ(top1("first_out", {0, 0}), 1);
  EXPECT_EQ(top1("second_out", {0, 0}), 0);
}

TEST_F(PipelineTest, ScoresAgainstDifferentLabelsAreNotShared) {
  EXPECT_EQ(top1("first_out", {0, 0}), 1);
  EXPECT_EQ(top1("first_out", {0, 1}), 0.5);
}

TEST_F(PipelineTest, ExplainsTheModelThatItBuilds) {
  const QuantizationConfig config = resolve(settings_from(Value()));
  const Candidate built = pipeline_.build(config, CancellationToken());
  const Explanation explained = pipeline_.explain(config, CancellationToken());
  EXPECT_EQ(explained.quantized->layers, built.quantized->layers);
  EXPECT_EQ(explained.quantized->tensors, built.quantized->tensors);
  EXPECT_EQ(explained.float_model->graph.nodes.size(), explained.quantized->layers.size());
  ASSERT_NE(explained.statistics, nullptr);
  EXPECT_EQ(explained.statistics->tensors.at("x").max, 3);
}

TEST(Pipeline, ExplainsWithoutStatisticsThatTheCacheDoesNotHold) {
  ThreadPool pool(1);
  Pipeline pipeline(two_sided(), data(), pool, ByteBudget(0), {});
  const Explanation explained =
      pipeline.explain(resolve(settings_from(Value())), CancellationToken());
  EXPECT_NE(explained.quantized, nullptr);
  EXPECT_EQ(explained.statistics, nullptr);
}

/// Two layers whose weights are computed from one number each; the second is left float.
TEST(Pipeline, TheComputedWeightOfAFloatLayerIsNotStored) {
  testing::ModelBuilder builder;
  builder.input("x", {-1, 64});
  builder.constant("shape", Tensor::of<std::int64_t>({2}, {64, 64}));
  std::string value = "x";
  for (const char* name : {"first", "second"}) {
    const std::string number = builder.weight(std::string(name) + "_number", {1}, {0.01F});
    const std::string weight = builder.node("Expand", {number, "shape"});
    value = builder.node("MatMul", {value, weight}, {}, name);
  }
  builder.output(value, {-1, 64});
  const auto samples = in_memory_data({{"x", testing::random_tensor({2, 64}, 1)}});
  ThreadPool pool(1);
  Pipeline pipeline(builder.build(), samples, pool, ByteBudget(kPlenty), {});
  QuantizationConfig config = resolve(settings_from(Value()));
  config.quantize.exclude_nodes = {"second"};
  const Candidate candidate = pipeline.build(config, CancellationToken());
  const QuantizedModel& quantized = *candidate.quantized;
  check_model(quantized.model);
  constexpr std::int64_t kIntegersOfOneLayer = 64 * 64;
  EXPECT_LT(weight_bytes(quantized.model.graph), kIntegersOfOneLayer + 1000);
  EXPECT_EQ(quantized.model.graph.nodes[0].op_type, "Expand");
  // What the quantizer says of its layers still holds.
  ASSERT_EQ(quantized.linear_layers.size(), 1);
  const auto node = static_cast<std::size_t>(quantized.linear_layers[0].node);
  EXPECT_EQ(quantized.model.graph.nodes[node].name, "first");
}

TEST_F(PipelineTest, HistogramBinsMustBeAPowerOfTwo) {
  for (const int bins : {8, 1000, 65536}) {
    QuantizationConfig config = resolve(settings_from(Value()));
    config.histogram_bins = bins;
    try {
      (void)pipeline_.build(config, CancellationToken());
      FAIL() << "nothing was thrown for " << bins;
    } catch (const InvalidInput& error) {
      EXPECT_EQ(error.what(), "pipeline: histogram_bins is " + std::to_string(bins) +
                                  ", expected a power of two from 16 to 32768");
    }
  }
}

std::string stages_of(const Candidate& candidate) {
  std::string text;
  for (const StageRecord& stage : candidate.stages)
    text += stage.name + (stage.cached ? "* " : " ");
  return text;
}

TEST_F(PipelineTest, ABuildFindsTheStagesThatWereCalibrated) {
  const QuantizationConfig config = resolve(settings_from(Value()));
  ThreadPool own(1);
  pipeline_.calibrate(config, CancellationToken(), own);
  EXPECT_EQ(stages_of(pipeline_.build(config, {})), "simplify* ranges* quantize ");
}

TEST_F(PipelineTest, AnEqualizationThatChangesNothingLeadsToTheSameStages) {
  const Candidate plain = pipeline_.build(resolve(settings_from(Value())), {});
  const Candidate idle = pipeline_.build(
      resolve(settings_from(parse_yaml("{preset: U8S8_CPU, include_cle: true}", ""))), {});
  EXPECT_EQ(stages_of(plain), "simplify observe ranges quantize ");
  EXPECT_EQ(stages_of(idle), "simplify* equalize ranges* quantize* ");
  EXPECT_EQ(idle.key, plain.key);
  EXPECT_EQ(idle.quantized, plain.quantized);
}

TEST_F(PipelineTest, AnEqualizedModelIsObservedAgain) {
  const std::string folder = std::string(QUANTSEARCH_SOURCE_DIR);
  const Model model = load_model(folder + "/tests/data/resnet8.onnx");
  const auto images =
      open_data(folder + "/examples/fashion_mnist/calibration_100.npz", model, {.limit = 2}).source;
  Pipeline pipeline(model, images, pool_, ByteBudget(kPlenty), {});
  const auto config = resolve(settings_from(parse_yaml("{include_cle: true}", "")));
  const Candidate plain = pipeline.build(resolve(settings_from(parse_yaml("{}", ""))), {});
  const Candidate equalized = pipeline.build(config, {});
  EXPECT_EQ(stages_of(equalized), "simplify* equalize observe ranges quantize ");
  EXPECT_NE(equalized.key, plain.key);
  EXPECT_EQ(stages_of(pipeline.build(config, {})), "simplify* equalize* ranges* quantize* ");
}

TEST_F(PipelineTest, ABiasAboveZeroIsAbsorbedAsObserved) {
  testing::ModelBuilder builder;
  builder.input("x", {-1, 2, 2, 2});
  const std::string y = builder.node("Conv", {"x", builder.random_weight("w", {2, 2, 1, 1}, 1, 1),
                                              builder.weight("b", {2}, {9, 9})});
  const std::string between = builder.node("Relu", {y});
  builder.output(builder.node("Conv", {between, builder.random_weight("v", {2, 2, 1, 1}, 1, 2)}),
                 {-1, 2, 2, 2});
  const Model model = builder.build();
  const auto images = in_memory_data({{"x", testing::random_tensor({3, 2, 2, 2}, 4)}});
  Pipeline pipeline(model, images, pool_, ByteBudget(kPlenty), {});
  const auto built = [&](const std::string& how) {
    return pipeline.build(
        resolve(settings_from(parse_yaml(
            "{include_cle: true, extra_options: {CLEBiasAbsorption: " + how + "}}", ""))),
        {});
  };
  const Candidate without = built("none");
  const Candidate with = built("minimum");
  EXPECT_EQ(stages_of(with), "simplify* equalize* observe_biases absorb observe ranges quantize ");
  // The range between the layers no longer contains the part that all its values had in common.
  EXPECT_LT(with.quantized->tensors.at(between).scales[0],
            without.quantized->tensors.at(between).scales[0] / 2);
}

TEST_F(PipelineTest, SmoothingSharesTheObservationOfTheTrialWithoutIt) {
  const auto built = [&](const std::string& yaml) {
    return pipeline_.build(resolve(settings_from(parse_yaml(yaml, ""))), {});
  };
  EXPECT_EQ(stages_of(built("{}")), "simplify observe ranges quantize ");
  EXPECT_EQ(stages_of(built("{include_sq: true}")),
            "simplify* observe_float* smooth observe ranges quantize ");
  EXPECT_EQ(stages_of(built("{include_sq: true, calibrate_method: Percentile}")),
            "simplify* smooth* observe* ranges quantize ");
}

TEST_F(PipelineTest, TrialsThatDifferInReconstructionShareTheChoiceOfFormats) {
  testing::ModelBuilder builder;
  builder.input("x", {-1, 3, 4, 4});
  const std::string y =
      builder.node("Conv", {"x", builder.random_weight("w", {4, 3, 1, 1}, 1, 1)}, {}, "one");
  const std::string z = builder.node("Relu", {y});
  builder.output(
      builder.node("Conv", {z, builder.random_weight("v", {2, 4, 1, 1}, 1, 2)}, {}, "two"),
      {-1, 2, 4, 4});
  Pipeline pipeline(builder.build(),
                    in_memory_data({{"x", testing::random_tensor({6, 3, 4, 4}, 4)}}), pool_,
                    ByteBudget(kPlenty), {});
  const auto built = [&](const std::string& how) {
    return pipeline.build(resolve(settings_from(parse_yaml(
                              "{include_auto_mp: true, include_fast_ft: true, extra_options: "
                              "{AutoMixprecision: {L2Target: 0.01}, FastFinetune: "
                              "{NumIterations: 5, OptimAlgorithm: " +
                                  how + "}}}",
                              ""))),
                          {});
  };
  EXPECT_EQ(stages_of(built("gptq")),
            "simplify observe ranges ranges (uint16)* precision activations finetune "
            "finish_precision finetune* ");
  EXPECT_EQ(stages_of(built("adaround")),
            "simplify* ranges* ranges (uint16)* precision* activations* finetune finish_precision "
            "finetune* ");
}

// Regression: the model was read from a cache that had not kept it.
TEST_F(PipelineTest, TheSimplifiedModelStaysValidWhenTheCacheIsFull) {
  Pipeline pipeline(model_, data(), pool_, ByteBudget(1), {});
  const std::shared_ptr<const Model> simplified = pipeline.simplified({});
  EXPECT_EQ(simplified->graph.nodes.size(), 2U);
  EXPECT_EQ(simplified->graph.nodes[0].op_type, "MatMul");
}

}  // namespace
}  // namespace quantsearch
