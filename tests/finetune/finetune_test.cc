// Reconstruction of whole models: what it writes is valid, better layer by layer, and the same
// however it is run.

#include "quantsearch/finetune.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <ostream>
#include <set>

#include "finetune/layers.h"
#include "finetune/write_back.h"
#include "quantsearch/base/error.h"
#include "quantsearch/calibrate.h"
#include "quantsearch/runtime.h"
#include "quantsearch/transform.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

using testing::ModelBuilder;

constexpr std::int64_t kSamples = 24;

struct Prepared {
  Model reference;
  std::shared_ptr<const DataSource> data;
  QuantizedModel candidate;
};

Prepared prepare(const Model& model, std::shared_ptr<const DataSource> data,
                 const QuantizeOptions& options, ThreadPool& pool) {
  Prepared made{.reference = simplify(model, {}).model, .data = std::move(data), .candidate = {}};
  const Statistics statistics =
      observe(made.reference, *made.data, pool, {.tensors = tensors_to_observe(made.reference)});
  made.candidate = quantize(made.reference, choose_ranges(statistics, {}, pool), options, pool);
  return made;
}

/// A convolution, a residual join over another one, a depthwise one with Clip, and a classifier.
Model small_network() {
  ModelBuilder builder;
  builder.input("x", {-1, 3, 8, 8});
  const Attribute pads{"pads", std::vector<std::int64_t>{1, 1, 1, 1}};
  const auto conv = [&](const std::string& from, const std::string& name, const Shape& shape,
                        std::int64_t groups) {
    const std::string weight =
        builder.random_weight(name + "_w", shape, 0.5F, shape.size() + name.size());
    const std::string bias = builder.random_weight(name + "_b", {shape[0]}, 0.1F, 77);
    return builder.node("Conv", {from, weight, bias}, {pads, {"group", groups}}, name);
  };
  const std::string first = builder.node("Relu", {conv("x", "first", {6, 3, 3, 3}, 1)});
  const std::string second = conv(first, "second", {6, 6, 3, 3}, 1);
  const std::string joined =
      builder.node("Relu", {builder.node("Add", {second, first}, {}, "join")});
  builder.constant("low", Tensor::scalar<float>(0));
  builder.constant("high", Tensor::scalar<float>(6));
  const std::string depthwise =
      builder.node("Clip", {conv(joined, "depthwise", {6, 1, 3, 3}, 6), "low", "high"});
  const std::string flat =
      builder.node("Flatten", {builder.node("GlobalAveragePool", {depthwise})});
  builder.output(builder.node("Gemm",
                              {flat, builder.random_weight("fc_w", {6, 4}, 0.5F, 9),
                               builder.random_weight("fc_b", {4}, 0.1F, 8)},
                              {}, "classifier"),
                 {-1, 4});
  return builder.build();
}

class FinetuneTest : public ::testing::Test {
 protected:
  FinetunedModel tune(const Prepared& prepared, const FinetuneOptions& options, int threads = 2,
                      std::int64_t bytes = 1 << 26) {
    ThreadPool pool(threads);
    return finetune(
        prepared.candidate, prepared.reference, *prepared.data, options,
        {.pool = pool, .budget = ByteBudget(bytes), .cache_folder = {}, .token = {}, .log = {}});
  }
  Prepared small(const QuantizeOptions& options = {}) {
    return prepare(small_network(),
                   in_memory_data({{"x", testing::random_tensor({kSamples, 3, 8, 8}, 11)}}),
                   options, pool_);
  }

  ThreadPool pool_{2};
};

/// Energy of the difference of the model's outputs from the float ones over the energy of the float
/// ones.
double distance(const Prepared& prepared, const Model& model) {
  const auto exact = open_session(prepared.reference);
  const auto other = open_session(model);
  double difference = 0;
  double signal = 0;
  for (std::int64_t sample = 0; sample < kSamples; ++sample) {
    const Batch inputs = prepared.data->read(sample, 1);
    const Tensor a = exact->run(inputs).begin()->second;
    const Tensor b = other->run(inputs).begin()->second;
    for (std::size_t at = 0; at < a.values<float>().size(); ++at) {
      const double wanted = a.values<float>()[at];
      difference += (b.values<float>()[at] - wanted) * (b.values<float>()[at] - wanted);
      signal += wanted * wanted;
    }
  }
  return difference / signal;
}

const FinetuneOptions kGptq = {.algorithm = FinetuneAlgorithm::gptq};

FinetuneOptions gradient(FinetuneAlgorithm algorithm, double learning_rate) {
  return {.algorithm = algorithm, .iterations = 200, .learning_rate = learning_rate, .seed = 5};
}

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

/// Pairs of stored weights that a kernel without VNNI could not add.
int unsafe_pairs(const QuantizedModel& quantized, const Model& reference) {
  int count = 0;
  for (const auto& layer :
       reconstruction::find_layers(quantized, reference, {"Conv", "Gemm"}).layers) {
    const std::vector<std::int32_t> codes =
        reconstruction::stored_solution(layer, quantized.model).codes;
    const reconstruction::LayerShape& shape = layer.geometry.shape;
    for (std::int64_t output = 0; output < shape.outputs() && !layer.pairs.empty(); ++output) {
      const auto code = [&](std::int32_t at) {
        return codes[static_cast<std::size_t>(output * shape.columns + at)];
      };
      for (const WeightPair& pair : layer.pairs[static_cast<std::size_t>(output / shape.rows)])
        count += pair.is_safe(code(pair.first), code(pair.second)) ? 0 : 1;
    }
  }
  return count;
}

TEST_F(FinetuneTest, PairsThatQuantizeMadeSafeStaySafe) {
  for (const bool per_channel : {false, true}) {
    for (const bool symmetric : {false, true}) {
      const Prepared prepared = small({.weight_symmetric = symmetric, .per_channel = per_channel});
      ASSERT_TRUE(prepared.candidate.pair_limits.contains("second"));
      ASSERT_FALSE(prepared.candidate.pair_limits.contains("depthwise"));
      FinetuneOptions adaround = gradient(FinetuneAlgorithm::adaround, 0.1);
      adaround.objective = FinetuneObjective::second_moment;
      const FinetuneOptions adaquant = gradient(FinetuneAlgorithm::adaquant, 1e-3);
      for (const FinetuneOptions& options : {kGptq, adaround, adaquant}) {
        const FinetunedModel tuned = tune(prepared, options);
        EXPECT_NE(tuned.quantized.model.graph.initializers,
                  prepared.candidate.model.graph.initializers);
        EXPECT_EQ(unsafe_pairs(tuned.quantized, prepared.reference), 0)
            << to_string(options.algorithm) << " per channel " << per_channel << " symmetric "
            << symmetric;
      }
    }
  }
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

/// Relative error of the classifier as it was written. It is the last layer, so this is what was
/// judged.
double written_error(const Prepared& prepared, const FinetunedModel& tuned) {
  const auto layers =
      reconstruction::find_layers(tuned.quantized, prepared.reference, {"Gemm"}).layers;
  const std::string product =
      tuned.quantized.model.graph.nodes[static_cast<std::size_t>(layers.at(0).quantized_node)]
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

/// Positions as NPUs have them: powers of two, biases of 8 bits.
const QuantizeOptions kFixedPoint = {.activation_type = DataType::int8,
                                     .activation_symmetric = true,
                                     .power_of_two = true,
                                     .bias_type = BiasType::like_weight,
                                     .npu = {.enabled = true}};

TEST_F(FinetuneTest, ABiasOfEightBitsIsJudgedAsItIsWritten) {
  const Prepared prepared = small(kFixedPoint);
  FinetuneOptions options = kGptq;
  options.choose_scales = false;
  options.power_of_two = true;
  const FinetunedModel tuned = tune(prepared, options);
  EXPECT_NEAR(written_error(prepared, tuned), tuned.layers.back().error_after,
              0.02 * tuned.layers.back().error_after);
  options.algorithm = FinetuneAlgorithm::none;
  options.bias_correction = true;
  const FinetunedModel corrected = tune(prepared, options);
  EXPECT_NEAR(written_error(prepared, corrected), corrected.layers.back().error_after,
              0.02 * corrected.layers.back().error_after);
}

Prepared mixed_formats(ThreadPool& pool) {
  Prepared made{.reference = simplify(small_network(), {}).model,
                .data = in_memory_data({{"x", testing::random_tensor({kSamples, 3, 8, 8}, 11)}}),
                .candidate = {}};
  const Statistics statistics =
      observe(made.reference, *made.data, pool, {.tensors = tensors_to_observe(made.reference)});
  CalibrationResult calibration{.ranges = {}, .extremes = extremes_of(statistics)};
  for (const DataType type : {DataType::uint8, DataType::uint16})
    calibration.ranges[type] = choose_ranges(statistics, {.type = type}, pool);
  const NodeFormat wide_weights{.weight = DataType::int16};
  const NodeFormat wide{.activation = DataType::uint16, .weight = DataType::int16};
  const NodeFormat in_float{.keep_float = true};
  made.candidate = quantize(made.reference, calibration,
                            {.node_formats = {{"first", wide_weights},
                                              {"join", {.activation = DataType::uint16}},
                                              {"depthwise", wide},
                                              {"classifier", in_float}}},
                            pool);
  return made;
}

DataType weight_type_of(const QuantizedModel& quantized, const std::string& weight) {
  return quantized.tensors.at(weight).type;
}

TEST_F(FinetuneTest, LayersOfMixedFormatsKeepTheirOwnGrids) {
  const Prepared prepared = mixed_formats(pool_);
  for (const FinetuneOptions& options : {kGptq, gradient(FinetuneAlgorithm::adaround, 0.1)}) {
    const FinetunedModel tuned = tune(prepared, options);
    check_model(tuned.quantized.model);
    EXPECT_EQ(weight_type_of(tuned.quantized, "first_w"), DataType::int16);
    EXPECT_EQ(weight_type_of(tuned.quantized, "second_w"), DataType::int8);
    EXPECT_EQ(weight_type_of(tuned.quantized, "depthwise_w"), DataType::int16);
    ASSERT_EQ(tuned.layers.size(), 4u);
    EXPECT_EQ(tuned.layers.back().node, "classifier");
    EXPECT_EQ(tuned.layers.back().reason, "its weights are not quantized");
    for (const LayerReconstruction& layer : tuned.layers) {
      EXPECT_LE(layer.error_after, layer.error_before) << layer.node;
      if (layer.node == "second") {  // the one with 8-bit weights
        EXPECT_LT(layer.error_after, 0.95 * layer.error_before);
      }
    }
    for (const auto& layer :
         reconstruction::find_layers(tuned.quantized, prepared.reference, {"Conv"}).layers) {
      const auto codes = reconstruction::stored_solution(layer, tuned.quantized.model).codes;
      const int largest = std::abs(
          *std::ranges::max_element(codes, {}, [](std::int32_t code) { return std::abs(code); }));
      // Scales may move by a quarter, so 16 bits are used in any case.
      if (layer.label == "second") {
        EXPECT_LE(largest, 127);
      } else {
        EXPECT_GT(largest, 20'000);
      }
    }
  }
}

// The join reads both Convs before it with 16 bits; the second Conv reads the first one's output
// with 8 bits, too, and of several types the widest counts.
TEST_F(FinetuneTest, OutputQdqRoundsToTheTypeThatTheReaderTakes) {
  const Prepared prepared = mixed_formats(pool_);
  std::map<std::string, std::int64_t> highest;
  for (const auto& layer :
       reconstruction::find_layers(prepared.candidate, prepared.reference, {"Conv"}).layers) {
    if (layer.output) highest[layer.label] = layer.output->limits.high;
  }
  EXPECT_EQ(highest, (std::map<std::string, std::int64_t>{
                         {"first", 65535}, {"second", 65535}, {"depthwise", 255}}));
}

TEST_F(FinetuneTest, ThreadsAndMemoryDoNotChangeTheBytes) {
  const Prepared prepared = small();
  const std::string expected = serialize_model(tune(prepared, kGptq).quantized.model);
  EXPECT_EQ(serialize_model(tune(prepared, kGptq, 1).quantized.model), expected);
  EXPECT_EQ(serialize_model(tune(prepared, kGptq, 2, 1000).quantized.model),
            expected);  // everything is spilled
}

struct GradientCase {
  std::string name;
  FinetuneOptions options;
};

void PrintTo(const GradientCase& value, std::ostream* stream) { *stream << value.name; }

class GradientMethods : public FinetuneTest, public ::testing::WithParamInterface<GradientCase> {};

TEST_P(GradientMethods, TheModelGainsAndThreadsAndMemoryDoNotChangeTheBytes) {
  const Prepared prepared = small();
  const FinetunedModel tuned = tune(prepared, GetParam().options);
  for (const LayerReconstruction& layer : tuned.layers)
    EXPECT_LE(layer.error_after, layer.error_before) << layer.node;
  EXPECT_LT(distance(prepared, tuned.quantized.model),
            distance(prepared, prepared.candidate.model));
  const std::string expected = serialize_model(tuned.quantized.model);
  EXPECT_EQ(serialize_model(tune(prepared, GetParam().options, 1).quantized.model), expected);
  EXPECT_EQ(serialize_model(tune(prepared, GetParam().options, 2, 1000).quantized.model), expected);
}

FinetuneOptions with(FinetuneOptions options, const std::function<void(FinetuneOptions&)>& change) {
  change(options);
  return options;
}

const FinetuneOptions kAdaRound = gradient(FinetuneAlgorithm::adaround, 0.1);
const FinetuneOptions kAdaQuant = gradient(FinetuneAlgorithm::adaquant, 1e-4);

INSTANTIATE_TEST_SUITE_P(
    Options, GradientMethods,
    ::testing::Values(
        GradientCase{"AdaRound", kAdaRound}, GradientCase{"AdaQuant", kAdaQuant},
        GradientCase{"Batch",
                     with(kAdaRound, [](FinetuneOptions& options) { options.batch_size = 3; })},
        GradientCase{"DropRatio",
                     with(kAdaRound, [](FinetuneOptions& options) { options.drop_ratio = 0.5; })},
        GradientCase{
            "OutputQDQ",
            with(kAdaRound, [](FinetuneOptions& options) { options.output_quantizer = true; })},
        GradientCase{"SecondMoment", with(kAdaRound,
                                          [](FinetuneOptions& options) {
                                            options.objective = FinetuneObjective::second_moment;
                                          })},
        GradientCase{
            "BiasCorrection",
            with(kAdaQuant, [](FinetuneOptions& options) { options.bias_correction = true; })}),
    [](const auto& info) { return info.param.name; });

/// Each option must reach its method: with another value other weights come out.
TEST_F(FinetuneTest, EveryOptionReachesItsMethod) {
  const Prepared prepared = small();
  const FinetuneOptions& adaround = kAdaRound;
  const FinetuneOptions adaquant = gradient(FinetuneAlgorithm::adaquant, 1e-3);
  using Change = std::function<void(FinetuneOptions&)>;
  const std::vector<std::pair<FinetuneOptions, Change>> changes = {
      {adaround, [](FinetuneOptions& options) { options.samples = 5; }},
      {adaround, [](FinetuneOptions& options) { options.iterations = 20; }},
      {adaround, [](FinetuneOptions& options) { options.learning_rate = 0.001; }},
      {adaround, [](FinetuneOptions& options) { options.batch_size = 4; }},
      {adaround, [](FinetuneOptions& options) { options.seed = 6; }},
      {adaround,
       [](FinetuneOptions& options) {
         options.learning_rate_adjustment = {0, 0.002};
       }},
      {adaround, [](FinetuneOptions& options) { options.output_quantizer = true; }},
      {adaround, [](FinetuneOptions& options) { options.drop_ratio = 0; }},
      {adaround, [](FinetuneOptions& options) { options.regularization = 10; }},
      {adaround,
       [](FinetuneOptions& options) {
         options.regularization = 10;
         options.beta_start = 3;
       }},
      {adaround,
       [](FinetuneOptions& options) {
         options.regularization = 10;
         options.warm_start = 0.9;
       }},
      {adaround,
       [](FinetuneOptions& options) { options.objective = FinetuneObjective::second_moment; }},
      {adaround, [](FinetuneOptions& options) { options.bias_correction = true; }},
      {adaquant, [](FinetuneOptions& options) { options.update_bias = true; }},
  };
  std::set<std::string> seen = {serialize_model(tune(prepared, adaround).quantized.model),
                                serialize_model(tune(prepared, adaquant).quantized.model),
                                serialize_model(tune(prepared, kGptq).quantized.model)};
  ASSERT_EQ(seen.size(), 3u);
  for (std::size_t at = 0; at < changes.size(); ++at) {
    const FinetuneOptions changed = with(changes[at].first, changes[at].second);
    EXPECT_TRUE(seen.insert(serialize_model(tune(prepared, changed).quantized.model)).second)
        << "change " << at;
  }
  // Weights spread evenly use all of an 8-bit scale; rounded up to a power of two it is too wide.
  // Where pairs must be safe, half of it would be too narrow.
  const Prepared wide = small({.target = Target::cpu_vnni,
                               .power_of_two = true,
                               .power_of_two_rounding = PowerOfTwoRounding::up});
  FinetuneOptions free_scales = kGptq;
  free_scales.power_of_two = true;
  const FinetuneOptions fixed_scales =
      with(free_scales, [](FinetuneOptions& options) { options.choose_scales = false; });
  EXPECT_NE(serialize_model(tune(wide, free_scales).quantized.model),
            serialize_model(tune(wide, fixed_scales).quantized.model));
}

TEST_F(FinetuneTest, BiasCorrectionLeavesNoMeanError) {
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

TEST_F(FinetuneTest, SelectiveUpdateNeverMovesTheOutputsAway) {
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

TEST_F(FinetuneTest, SelectiveUpdateComparesWhatIsComputedAsNumbers) {
  // Beside the output of the network: an initializer, the input, and as many values as are above 0.
  Model model = small_network();
  model.graph.initializers.push_back(
      {.name = "anchors", .tensor = std::make_shared<const Tensor>(Tensor::of<float>({2}, {1, 2}))});
  model.graph.outputs.push_back({.name = "anchors",
                                 .type = DataType::float32,
                                 .dimensions = std::vector<Dimension>{{.size = 2, .symbol = ""}},
                                 .extra = ""});
  model.graph.outputs.push_back(model.graph.inputs[0]);
  const auto add = [&](const std::string& op_type, const std::string& input, const std::string& output) {
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
  model.graph.outputs.push_back({.name = "found",
                                 .type = DataType::int64,
                                 .dimensions = std::nullopt,
                                 .extra = ""});
  const Prepared prepared =
      prepare(infer_shapes(model), in_memory_data({{"x", testing::random_tensor({kSamples, 3, 8, 8}, 4)}}),
              {}, pool_);
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

TEST_F(FinetuneTest, WhatCannotBeTunedSaysWhy) {
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

TEST_F(FinetuneTest, OptionsOutOfTheirBoundsAreRefused) {
  const Prepared prepared = small();
  try {
    (void)tune(prepared, {.batch_size = kSamples + 1});
    FAIL() << "nothing was thrown";
  } catch (const InvalidInput& error) {
    EXPECT_STREQ(error.what(),
                 "finetune: option 'BatchSize' is 25, expected 1 to the number of samples, 24");
  }
}

TEST_F(FinetuneTest, CancellingEndsIt) {
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
