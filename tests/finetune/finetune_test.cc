// Tests the reconstruction of whole models: the written model is valid, and no layer has a larger
// error than before.

#include "quantsearch/finetune.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "finetune/fixture.h"
#include "finetune/layers.h"
#include "quantsearch/base/error.h"
#include "quantsearch/runtime.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

using testing::distance;
using testing::FinetuneTest;
using testing::kGptq;
using testing::kSamples;
using testing::ModelBuilder;
using testing::prepare;
using testing::Prepared;
using testing::small_network;

TEST_F(FinetuneTest, EveryLayerIsTunedInOrderAndNoneBecomesWorse) {
  const Prepared prepared = small();
  const FinetunedModel tuned = tune(prepared, kGptq);
  ASSERT_EQ(tuned.layers.size(), 4u);
  const std::vector<std::string> order = {"first", "second", "depthwise", "classifier"};
  for (std::size_t at = 0; at < order.size(); ++at) {
    EXPECT_EQ(tuned.layers[at].node, order[at]);
    EXPECT_LE(tuned.layers[at].error_after, tuned.layers[at].error_before);
  }
  EXPECT_TRUE(tuned.layers[1].tuned);
  EXPECT_LT(distance(prepared, tuned.quantized.model),
            distance(prepared, prepared.candidate.model));
}

TEST_F(FinetuneTest, TheModelIsValidAndOnlyItsConstantsChange) {
  const Prepared prepared = small({.per_channel = true});
  const FinetunedModel tuned = tune(prepared, kGptq);
  check_model(tuned.quantized.model);
  EXPECT_EQ(tuned.quantized.model.graph.nodes, prepared.candidate.model.graph.nodes);
  EXPECT_EQ(count_operators(optimized_model(tuned.quantized.model).graph),
            count_operators(optimized_model(prepared.candidate.model).graph));
  EXPECT_EQ(tuned.quantized.layers, prepared.candidate.layers);
}

/// The relative error of the classifier in the written model. It is the last layer, so its error
/// does not depend on layers that were tuned later.
double written_error(const Prepared& prepared, const FinetunedModel& tuned) {
  const auto layers =
      reconstruction::find_layers(tuned.quantized, prepared.reference, {"Gemm"}).layers;
  const std::string product =
      tuned.quantized.model.graph.nodes[static_cast<std::size_t>(layers.at(0).stored.node)]
          .outputs[0];
  const auto exact = open_session(prepared.reference);
  const auto written = open_session(tuned.quantized.model, {.optimize = false, .taps = {product}});
  double difference = 0;
  double signal = 0;
  for (std::int64_t sample = 0; sample < kSamples; ++sample) {
    const Batch inputs = prepared.data->read(sample, 1);
    const Tensor a = exact->run(inputs).begin()->second;
    const Tensor b = written->run(inputs).at(product);
    for (std::size_t at = 0; at < 4; ++at) {
      const double wanted = a.values<float>()[at];
      difference += (b.values<float>()[at] - wanted) * (b.values<float>()[at] - wanted);
      signal += wanted * wanted;
    }
  }
  return difference / signal;
}

TEST_F(FinetuneTest, TheReportedErrorIsThatOfTheWrittenModel) {
  const Prepared prepared = small();
  const FinetunedModel tuned = tune(prepared, kGptq);
  EXPECT_NEAR(written_error(prepared, tuned), tuned.layers.back().error_after,
              0.02 * tuned.layers.back().error_after);
}

/// Options for NPUs: scales are powers of two, and biases have 8 bits.
const QuantizeOptions kFixedPoint = {.activation_type = DataType::int8,
                                     .activation_symmetric = true,
                                     .power_of_two = true,
                                     .bias_type = BiasType::like_weight,
                                     .npu = {.enabled = true}};

TEST_F(FinetuneTest, TheReportedErrorIncludesTheRoundingOfAnEightBitBias) {
  const Prepared prepared = small(kFixedPoint);
  FinetuneOptions options = kGptq;
  options.choose_scales = false;
  const FinetunedModel tuned = tune(prepared, options);
  EXPECT_NEAR(written_error(prepared, tuned), tuned.layers.back().error_after,
              0.02 * tuned.layers.back().error_after);
  options.algorithm = FinetuneAlgorithm::none;
  options.bias_correction = true;
  const FinetunedModel corrected = tune(prepared, options);
  EXPECT_NEAR(written_error(prepared, corrected), corrected.layers.back().error_after,
              0.02 * corrected.layers.back().error_after);
}

TEST_F(FinetuneTest, BiasCorrectionRemovesTheMeanError) {
  const Prepared prepared = small();
  const FinetunedModel tuned =
      tune(prepared, {.algorithm = FinetuneAlgorithm::none, .bias_correction = true});
  const auto exact = open_session(prepared.reference, {.taps = {"first_out"}});
  const auto other =
      open_session(tuned.quantized.model, {.optimize = false, .taps = {"first_out"}});
  double mean_before = 0;
  double mean = 0;
  const auto before =
      open_session(prepared.candidate.model, {.optimize = false, .taps = {"first_out"}});
  for (std::int64_t sample = 0; sample < kSamples; ++sample) {
    const Batch inputs = prepared.data->read(sample, 1);
    const Tensor a = exact->run(inputs).at("first_out");
    const Tensor b = other->run(inputs).at("first_out");
    const Tensor c = before->run(inputs).at("first_out");
    for (std::size_t at = 0; at < 64; ++at) {  // the first channel
      mean += b.values<float>()[at] - a.values<float>()[at];
      mean_before += c.values<float>()[at] - a.values<float>()[at];
    }
  }
  EXPECT_LT(std::abs(mean), 1e-3 * std::abs(mean_before) + kSamples * 64 * 1e-4);
}

TEST_F(FinetuneTest, SelectiveUpdateNeverIncreasesTheOutputDistance) {
  const Prepared prepared = small();
  FinetuneOptions options = kGptq;
  options.selective_update = true;
  const FinetunedModel tuned = tune(prepared, options);
  EXPECT_LE(distance(prepared, tuned.quantized.model),
            distance(prepared, prepared.candidate.model));
  for (const LayerReconstruction& layer : tuned.layers) {
    EXPECT_EQ(layer.tuned, layer.reason.empty());
  }
}

TEST_F(FinetuneTest, SelectiveUpdateComparesOnlyComputedFloatOutputs) {
  // Further outputs are an initializer, the input, and the indices of the values above 0.
  Model model = small_network();
  model.graph.initializers.push_back(
      {.name = "anchors",
       .tensor = std::make_shared<const Tensor>(Tensor::of<float>({2}, {1, 2}))});
  model.graph.outputs.push_back({.name = "anchors",
                                 .type = DataType::float32,
                                 .dimensions = std::vector<Dimension>{{.size = 2, .symbol = ""}},
                                 .extra = ""});
  model.graph.outputs.push_back(model.graph.inputs[0]);
  const auto add = [&](const std::string& op_type, const std::string& input,
                       const std::string& output) {
    model.graph.nodes.push_back({.op_type = op_type,
                                 .domain = "",
                                 .name = output,
                                 .inputs = {input},
                                 .outputs = {output},
                                 .attributes = {},
                                 .extra = ""});
  };
  add("Relu", model.graph.outputs[0].name, "above");
  add("NonZero", "above", "found");
  model.graph.outputs.push_back(
      {.name = "found", .type = DataType::int64, .dimensions = std::nullopt, .extra = ""});
  const Prepared prepared =
      prepare(infer_shapes(model),
              in_memory_data({{"x", testing::random_tensor({kSamples, 3, 8, 8}, 4)}}), {}, pool_);
  FinetuneOptions options = kGptq;
  options.selective_update = true;
  EXPECT_FALSE(tune(prepared, options).layers.empty());
}

TEST_F(FinetuneTest, OnlyTheWantedOperatorTypesAreTuned) {
  const Prepared prepared = small();
  FinetuneOptions options = kGptq;
  options.op_types = {"Gemm"};
  const FinetunedModel tuned = tune(prepared, options);
  ASSERT_EQ(tuned.layers.size(), 1u);
  EXPECT_EQ(tuned.layers[0].node, "classifier");
}

TEST_F(FinetuneTest, LayersThatCannotBeTunedHaveAReason) {
  ModelBuilder builder;
  builder.input("x", {-1, 4});
  builder.random_weight("shared", {4, 4}, 0.5F, 1);
  const std::string first = builder.node("MatMul", {"x", "shared"}, {}, "first");
  const std::string second =
      builder.node("MatMul", {builder.node("Relu", {first}), "shared"}, {}, "second");
  builder.output(
      builder.node("MatMul", {second, builder.node("Transpose", {second})}, {}, "two_activations"));
  const Prepared prepared =
      prepare(builder.build(), in_memory_data({{"x", testing::random_tensor({kSamples, 4}, 4)}}),
              {}, pool_);
  const FinetunedModel tuned = tune(prepared, kGptq);
  std::map<std::string, std::string> reasons;
  for (const LayerReconstruction& layer : tuned.layers) reasons[layer.node] = layer.reason;
  EXPECT_EQ(reasons["first"], "its weights are shared with other nodes");
  EXPECT_EQ(reasons["two_activations"], "its weights are not constant");
}

TEST_F(FinetuneTest, OptionsOutOfTheirBoundsAreErrors) {
  const Prepared prepared = small();
  try {
    (void)tune(prepared, {.batch_size = kSamples + 1});
    FAIL() << "nothing was thrown";
  } catch (const InvalidInput& error) {
    EXPECT_STREQ(error.what(),
                 "finetune: option 'BatchSize' is 25, expected 1 to the number of samples, 24");
  }
}

TEST_F(FinetuneTest, ThrowsCancelledWhenCancelled) {
  const Prepared prepared = small();
  const CancellationToken token;
  token.cancel();
  EXPECT_THROW((void)finetune(prepared.candidate, prepared.reference, *prepared.data, kGptq,
                              {.pool = pool_,
                               .budget = ByteBudget(1 << 26),
                               .cache_folder = {},
                               .token = token,
                               .log = {}}),
               Cancelled);
}

}  // namespace
}  // namespace quantsearch
