#include "autosearch/arithmetic.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "autosearch/search_setting.h"
#include "quantsearch/internal/base/files.h"

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

/// Runs a search with three trials, of which two are written.
ResultsDocument document_of(const std::string& target, bool compare_with_graph) {
  const TemporaryFolder folder;
  SearchSetting setting("quantization_config: {target: " + target +
                        "}\nsearch_space: {calibrate_method: [MinMax, Entropy, MinMSE]}");
  setting.adjust = [&](SearchEnvironment& environment) {
    environment.keep = 2;
    environment.compare_with_graph = compare_with_graph;
  };
  return setting.run(folder.path()).document;
}

TEST(Arithmetic, AWrittenModelHasBothScoresWhereTheProcessorSaturates) {
  for (const std::string target : {"cpu", "cpu-vnni"}) {
    const ResultsDocument document = document_of(target, true);
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

TEST(Arithmetic, NothingIsMeasuredWithoutSaturation) {
  for (const TrialResult& trial : document_of("cpu", false).trials)
    EXPECT_FALSE(trial.arithmetic.has_value());
}

}  // namespace
}  // namespace quantsearch
