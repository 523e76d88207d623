#include "autosearch/arithmetic.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "autosearch/search_setting.h"
#include "quantsearch/internal/base/files.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

using testing::SearchSetting;

using MetricScores = std::map<std::string, double>;

TEST(Arithmetic, NoiseBeyondRoundingDiffers) {
  const MetricScores graph = {{"rel_l2", 0.01}, {"top1", 0.9}};
  EXPECT_FALSE(compared(graph, {{"rel_l2", 0.0125}, {"top1", 0.8}}).differ);
  EXPECT_FALSE(compared(graph, {{"rel_l2", 0.001}, {"top1", 0.9}}).differ);
  EXPECT_TRUE(compared(graph, {{"rel_l2", 0.0135}, {"top1", 0.9}}).differ);
}

TEST(Arithmetic, HasTheMetricsThatBothHave) {
  const ArithmeticScores both =
      compared({{"rel_l2", 0.01}, {"custom", 3}}, {{"rel_l2", 0.02}, {"L2", 1}});
  EXPECT_EQ(both.graph, (MetricScores{{"rel_l2", 0.01}}));
  EXPECT_EQ(both.processor, (MetricScores{{"rel_l2", 0.02}}));
}

/// Runs a search with three trials, of which two are written. `base`: options of all trials.
ResultsDocument document_of(const std::string& base, bool compare_with_graph) {
  const TemporaryFolder folder;
  SearchSetting setting("quantization_config: {" + base +
                        "}\nsearch_space: {calibrate_method: [MinMax, Entropy, MinMSE]}");
  setting.adjust = [&](SearchEnvironment& environment) {
    environment.keep = 2;
    environment.compare_with_graph = compare_with_graph;
  };
  return setting.run(folder.path()).document;
}

TEST(Arithmetic, AWrittenModelHasBothScoresWhereTheProcessorSaturates) {
  for (const std::string target : {"cpu", "cpu-vnni"}) {
    const ResultsDocument document = document_of("target: " + target, true);
    const auto measured = [](const TrialResult& trial) { return trial.arithmetic.has_value(); };
    EXPECT_EQ(std::ranges::count_if(document.trials, measured), 2) << target;
    for (const TrialResult& trial : document.trials) {
      if (!trial.arithmetic) continue;
      EXPECT_TRUE(trial.arithmetic->graph.contains("top1") &&
                  trial.arithmetic->processor.contains("top1"))
          << target;
      const MetricScores& own =
          target == "cpu" ? trial.arithmetic->processor : trial.arithmetic->graph;
      EXPECT_EQ(own.at("rel_l2"), trial.model.scores.at("rel_l2")) << target;
    }
  }
}

TEST(Arithmetic, AModelWithoutByteProductsHasTheSameScoresInBoth) {
  const ResultsDocument document =
      document_of("target: cpu, activation_type: QInt16, weight_type: QInt8", true);
  int measured = 0;
  for (const TrialResult& trial : document.trials) {
    if (!trial.arithmetic) continue;
    ++measured;
    EXPECT_EQ(trial.arithmetic->graph, trial.model.scores);
    EXPECT_EQ(trial.arithmetic->processor, trial.model.scores);
    EXPECT_FALSE(trial.arithmetic->differ);
  }
  EXPECT_EQ(measured, 2);
}

/// A value that is quantized with this zero point and read by a node of this type.
Graph quantized_and_read(Tensor zero_point, const std::string& op_type) {
  testing::ModelBuilder builder;
  const std::string x = builder.input("x", {1, 4});
  const std::string scale = builder.constant("scale", Tensor::of<float>({}, {0.1F}));
  const std::string zero = builder.constant("zero", std::move(zero_point));
  const std::string quantized = builder.node("QuantizeLinear", {x, scale, zero});
  const std::string back = builder.node("DequantizeLinear", {quantized, scale, zero});
  builder.output(builder.node(op_type, {back}));
  return builder.build_unchecked().graph;
}

TEST(Arithmetic, OnlyIntegersOfEightBitsHaveByteProducts) {
  const auto wide = [] { return Tensor::of<std::int16_t>({}, {0}); };
  EXPECT_TRUE(has_no_byte_products(quantized_and_read(wide(), "Relu")));
  EXPECT_FALSE(has_no_byte_products(quantized_and_read(Tensor::of<std::int8_t>({}, {0}), "Relu")));
  EXPECT_FALSE(has_no_byte_products(quantized_and_read(wide(), "DynamicQuantizeLinear")));
  EXPECT_FALSE(has_no_byte_products(quantized_and_read(wide(), "MatMulInteger")));
  EXPECT_FALSE(has_no_byte_products(quantized_and_read(wide(), "QLinearConv")));
  Graph by_another_domain = quantized_and_read(wide(), "Relu");
  by_another_domain.nodes.back().domain = "com.microsoft";
  EXPECT_FALSE(has_no_byte_products(by_another_domain));
  Graph with_byte_input = quantized_and_read(wide(), "Relu");
  with_byte_input.inputs.front().type = DataType::uint8;
  EXPECT_FALSE(has_no_byte_products(with_byte_input));
}

TEST(Arithmetic, NothingIsMeasuredWithoutSaturation) {
  for (const TrialResult& trial : document_of("target: cpu", false).trials)
    EXPECT_FALSE(trial.arithmetic.has_value());
}

}  // namespace
}  // namespace quantsearch
