#include "quantsearch/precision/sensitivity.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "precision/setting.h"
#include "quantsearch/base/error.h"

namespace quantsearch {
namespace {

using testing::ModelBuilder;

SensitivityReport measure(const Model& model, const CalibrationResult& calibration,
                          std::shared_ptr<const DataSource> data,
                          const SensitivityOptions& options = {}, int threads = 1,
                          const QuantizeOptions& quantization = {}) {
  ThreadPool pool(threads);
  const ByteBudget budget(1 << 24);
  return measure_sensitivity(model, calibration, quantization, std::move(data), options,
                             {.pool = pool, .budget = budget});
}

SensitivityReport measure_network(const SensitivityOptions& options, int threads = 1) {
  const Model model = testing::network_with_a_hard_layer();
  return measure(model, testing::calibration_of(model, {DataType::uint8}),
                 testing::twelve_samples(), options, threads);
}

CalibrationResult observed(const Model& model, const DataSource& data) {
  ThreadPool pool(1);
  const Statistics statistics = observe(model, data, pool, {.tensors = tensors_to_observe(model)});
  return {
      .ranges = {{DataType::uint8,
                  choose_ranges(statistics,
                                {.method = RangeMethod::min_max, .type = DataType::uint8}, pool)}},
      .extremes = extremes_of(statistics)};
}

const LayerSensitivity& row_of(const SensitivityReport& report, const std::string& node) {
  return *std::ranges::find(report.layers, node, &LayerSensitivity::node);
}

void expect_equal_noise(const SensitivityReport& part, const SensitivityReport& whole) {
  EXPECT_GT(part.kept_bytes, 0);
  EXPECT_EQ(whole.kept_bytes, 0);
  EXPECT_NEAR(part.quantized_noise, whole.quantized_noise, 1e-6 * whole.quantized_noise);
  ASSERT_EQ(part.layers.size(), whole.layers.size());
  for (std::size_t at = 0; at < whole.layers.size(); ++at) {
    const LayerSensitivity& row = part.layers[at];
    const LayerSensitivity& expected = whole.layers[at];
    EXPECT_EQ(row.node, expected.node);
    EXPECT_NEAR(row.added_noise, expected.added_noise, 1e-6 * expected.added_noise) << row.node;
    EXPECT_NEAR(row.removed_noise, expected.removed_noise, 1e-6 * whole.quantized_noise)
        << row.node;
    EXPECT_EQ(row.bytes_saved, expected.bytes_saved);
  }
}

/// y = (x w1) w2 with one sample x = [1, 0.4], which 8 bits hold exactly, as they do w2. The hidden
/// values [1, 0.1] and the output 1.1 are rounded to multiples of 0.03.
class TwoProducts : public ::testing::Test {
 protected:
  TwoProducts() {
    ModelBuilder builder;
    builder.input("x", {-1, 2});
    builder.weight("w1", {2, 2}, {1, 0, 0, 0.25F});
    builder.weight("w2", {2, 1}, {1, 1});
    const std::string hidden = builder.node("MatMul", {"x", "w1"}, {}, "first");
    builder.output(builder.node("MatMul", {hidden, "w2"}, {}, "second"), {-1, 1});
    const Ranges ranges = {{"x", {.low = 0, .high = 1}},
                           {"first_out", {.low = 0, .high = 7.65F}},
                           {"second_out", {.low = 0, .high = 7.65F}}};
    report_ =
        measure(builder.build(), {.ranges = {{DataType::uint8, ranges}}},
                in_memory_data({{"x", Tensor::of<float>({1, 2}, std::vector<float>{1.0F, 0.4F})}}),
                {}, 1, {.target = Target::cpu_vnni});
  }
  SensitivityReport report_;
};

double noise_of(double output) { return (1.1 - output) * (1.1 - output) / (1.1 * 1.1); }

TEST_F(TwoProducts, HaveTheNoiseThatFollowsByHand) {
  // The first alone: 0.25 becomes 32/127, and the result stays float for its float reader. The
  // second alone: the hidden values become [0.99, 0.09]. Both: as the second alone.
  const double first = noise_of(1 + 0.4 * 32 / 127);
  const double second = noise_of(1.08);
  EXPECT_NEAR(row_of(report_, "first").added_noise, first, 1e-3 * first);
  EXPECT_NEAR(row_of(report_, "second").added_noise, second, 1e-4 * second);
  EXPECT_NEAR(report_.quantized_noise, second, 1e-4 * second);
  EXPECT_NEAR(row_of(report_, "first").removed_noise, 0, 1e-9);
  EXPECT_NEAR(row_of(report_, "second").removed_noise, second - first, 1e-4 * second);
}

TEST_F(TwoProducts, AreRankedAndSummedByPattern) {
  ASSERT_EQ(report_.layers.size(), 2U);
  EXPECT_EQ(report_.layers[0].node, "second");
  EXPECT_EQ(report_.layers[0].members, std::vector<std::string>{"second"});
  // Three bytes of each of two, and of four, weights.
  EXPECT_EQ(report_.layers[0].bytes_saved, 6);
  EXPECT_EQ(report_.layers[1].bytes_saved, 12);
  ASSERT_EQ(report_.patterns.size(), 1U);
  EXPECT_EQ(report_.patterns[0].pattern, "MatMul");
  EXPECT_EQ(report_.patterns[0].layers, 2);
  EXPECT_EQ(report_.patterns[0].bytes_saved, 18);
  EXPECT_DOUBLE_EQ(report_.patterns[0].added_noise,
                   report_.layers[0].added_noise + report_.layers[1].added_noise);
  EXPECT_EQ(worst_layers(report_, 5), 1U);
  EXPECT_EQ(worst_layers(report_, 0), 0U);
}

TEST_F(TwoProducts, MayGetSixteenBits) {
  const NodeFormat wide{
      .activation = DataType::uint16, .weight = DataType::int16, .keep_float = false};
  EXPECT_EQ(report_.layers[0].wide_formats, (std::map<std::string, NodeFormat>{{"second", wide}}));
}

TEST(Sensitivity, OfPartsEqualsThatOfWholeModels) {
  const SensitivityReport part = measure_network({});
  const SensitivityReport whole = measure_network({.whole_models = true});
  expect_equal_noise(part, whole);
  EXPECT_LT(part.share_run, 1);
  EXPECT_EQ(whole.share_run, 1);
  EXPECT_EQ(part.layers[0].node, "hard");
  EXPECT_EQ(part.layers[0].pattern, "Conv 1x1");
  EXPECT_EQ(part.samples, 12);
  EXPECT_EQ(part.models, 7);  // all quantized, and two for each layer
}

TEST(Sensitivity, OfPartsThatBeginAtFewTensorsIsTheSame) {
  // 12 samples of 48 numbers of 4 bytes: one cut instead of two.
  const SensitivityReport part = measure_network({.kept_bytes = 12 * 48 * 4});
  EXPECT_LT(part.kept_bytes, 2 * 12 * 48 * 4);
  expect_equal_noise(part, measure_network({.whole_models = true}));
}

TEST(Sensitivity, DoesNotDependOnThreads) {
  const SensitivityReport one = measure_network({}, 1);
  const SensitivityReport four = measure_network({}, 4);
  EXPECT_EQ(one.layers, four.layers);
  EXPECT_EQ(one.patterns, four.patterns);
  EXPECT_EQ(one.quantized_noise, four.quantized_noise);
}

TEST(Sensitivity, MeasuresTheFirstSamples) {
  EXPECT_EQ(measure_network({.samples = 3}).samples, 3);
  EXPECT_NE(row_of(measure_network({.samples = 3}), "first").added_noise,
            row_of(measure_network({}), "first").added_noise);
}

/// Two outputs, each behind a layer of its own, after a common one.
Model forked() {
  ModelBuilder builder;
  builder.input("x", {-1, 4});
  builder.random_weight("w", {4, 4}, 1, 1);
  builder.random_weight("wl", {4, 2}, 1, 2);
  builder.random_weight("wr", {4, 3}, 1, 3);
  const std::string hidden =
      builder.node("Relu", {builder.node("MatMul", {"x", "w"}, {}, "stem")}, {}, "relu");
  builder.output(builder.node("MatMul", {hidden, "wl"}, {}, "left"), {-1, 2});
  builder.output(builder.node("MatMul", {hidden, "wr"}, {}, "right"), {-1, 3});
  return builder.build();
}

TEST(Sensitivity, OfALayerThatDoesNotReachAnOutputIsThatOfTheOther) {
  const Model model = forked();
  const auto data = in_memory_data({{"x", testing::random_tensor({12, 4}, 7)}});
  const CalibrationResult calibration = observed(model, *data);
  const SensitivityReport part = measure(model, calibration, data);
  expect_equal_noise(part, measure(model, calibration, data, {.whole_models = true}));
  // rel_l2 is a mean over both outputs, and that of the other one is 0.
  Model left_alone = model;
  left_alone.graph.outputs.pop_back();
  const SensitivityReport left = measure(left_alone, calibration, data);
  EXPECT_NEAR(row_of(part, "left").added_noise, row_of(left, "left").added_noise / 2,
              1e-6 * row_of(left, "left").added_noise);
  EXPECT_EQ(left.layers.size(), 2U);  // what reaches no output is not quantized
}

Attribute branch(const std::string& name, const std::string& weight, std::uint64_t seed) {
  ModelBuilder body;
  body.random_weight(weight, {4, 4}, 1, seed);
  body.output(body.node("MatMul", {"hidden_out", weight}, {}, name + "_product"), {-1, 4});
  return {.name = name, .value = std::make_shared<const Graph>(body.build_unchecked().graph)};
}

/// A layer, an If whose branches read its result and multiply it, and another layer.
Model with_bodies() {
  ModelBuilder builder;
  builder.input("x", {-1, 4});
  builder.input("choice", {1}, DataType::boolean);
  builder.random_weight("w", {4, 4}, 1, 1);
  builder.random_weight("wl", {4, 2}, 1, 2);
  builder.node("Relu", {builder.node("MatMul", {"x", "w"}, {}, "stem")}, {}, "hidden");
  const std::string chosen = builder.node(
      "If", {"choice"}, {branch("then_branch", "wt", 3), branch("else_branch", "we", 4)}, "choose");
  builder.output(builder.node("MatMul", {chosen, "wl"}, {}, "last"), {-1, 2});
  return builder.build();
}

TEST(Sensitivity, OfBodiesIsThatOfTheirNode) {
  const Model model = with_bodies();
  Tensor choice(DataType::boolean, {4});
  for (std::size_t at = 0; at < 4; ++at) choice.mutable_values<bool>()[at] = at % 2 == 0;
  const auto data = in_memory_data({{"x", testing::random_tensor({4, 4}, 7)}, {"choice", choice}});
  const CalibrationResult calibration = observed(model, *data);
  const SensitivityReport part = measure(model, calibration, data);
  expect_equal_noise(part, measure(model, calibration, data, {.whole_models = true}));
  const LayerSensitivity& bodies = row_of(part, "choose");
  EXPECT_EQ(bodies.pattern, "bodies of If");
  EXPECT_GT(bodies.added_noise, 0);
  EXPECT_EQ(bodies.bytes_saved, 2 * 16 * 3);
  EXPECT_TRUE(bodies.wide_formats.empty());
}

std::string error_of(const QuantizeOptions& quantization, std::shared_ptr<const DataSource> data,
                     const SensitivityOptions& options = {}) {
  const Model model = testing::network_with_a_hard_layer();
  try {
    (void)measure(model, testing::calibration_of(model, {DataType::uint8}), std::move(data),
                  options, 1, quantization);
  } catch (const InvalidInput& error) {
    return error.what();
  }
  return "no error";
}

TEST(Sensitivity, OfNothingIsAnError) {
  EXPECT_EQ(error_of({.exclude_op_types = {"Conv", "Relu"}}, testing::twelve_samples()),
            "sensitivity: the configuration quantizes no layer of the model, expected at least "
            "one; look at what is in the way with the command 'inspect'");
  EXPECT_EQ(error_of({}, nullptr),
            "sensitivity: got no calibration data, expected at least one sample");
  EXPECT_EQ(error_of({}, testing::twelve_samples(), {.samples = 0}),
            "sensitivity: the number of samples is 0, expected at least 1");
}

}  // namespace
}  // namespace quantsearch
