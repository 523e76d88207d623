#include "autosearch/layer_ranking.h"

#include <gtest/gtest.h>

#include <limits>

#include "autosearch/search_setting.h"
#include "quantsearch/internal/base/files.h"
#include "quantsearch/report.h"

namespace quantsearch {
namespace {

using testing::parse;
using testing::SearchSetting;

constexpr double kNoLimit = std::numeric_limits<double>::infinity();

TEST(PlanRanking, TakesAsManySamplesAsATwentiethOfTheSearchAllows) {
  // 100 s allow 5 s: 21 models take 2.1 s of it, and 3 + 0.6 x 21 runs of a sample .156 s each.
  const RankingCosts costs{.passed = 100,
                           .left = kNoLimit,
                           .seconds_of_model = 0.1,
                           .seconds_of_sample = 0.01,
                           .layers = 10};
  EXPECT_EQ(plan_ranking(costs, LayerRanking::automatic).samples, 16);
  RankingCosts slower = costs;
  slower.seconds_of_sample = 0.03;
  EXPECT_EQ(plan_ranking(slower, LayerRanking::automatic).samples, 6);
  slower.seconds_of_sample = 1;
  EXPECT_EQ(plan_ranking(slower, LayerRanking::automatic).samples, 0);
}

TEST(PlanRanking, StaysWithinTheTimeLimit) {
  const RankingCosts costs{
      .passed = 100, .left = 2.5, .seconds_of_model = 0.1, .seconds_of_sample = 0.01, .layers = 10};
  const RankingPlan plan = plan_ranking(costs, LayerRanking::automatic);
  EXPECT_EQ(plan.samples, 2);
  EXPECT_EQ(plan.seconds, 2.5);
}

TEST(PlanRanking, MeasuresAlwaysWhenAskedTo) {
  const RankingCosts costs{.passed = 0.1,
                           .left = kNoLimit,
                           .seconds_of_model = 10,
                           .seconds_of_sample = 10,
                           .layers = 100};
  EXPECT_EQ(plan_ranking(costs, LayerRanking::automatic).samples, 0);
  EXPECT_EQ(plan_ranking(costs, LayerRanking::always).samples, 16);
}

const std::string kTwoMethods =
    "quantization_config: {activation_type: QUInt8}\n"
    "search_space: {calibrate_method: [MinMax, Percentile]}\n";

TEST(LayerRanking, IsInTheResultsWithTheTrialThatItDescribes) {
  const TemporaryFolder folder;
  SearchSetting setting(kTwoMethods + "search_sensitivity: always\n");
  const SearchResult result = setting.run(folder.path() / "out");
  const Value written = load_config_file(folder.path() / "out" / "results.json");
  const Value* const table = written.find("sensitivity");
  ASSERT_NE(table, nullptr);
  EXPECT_EQ(*table, results_from(written).sensitivity);
  EXPECT_EQ(table->find("trial")->as_int(), result.best);
  EXPECT_EQ(table->find("samples")->as_int(), 16);
  const Value::List& layers = table->find("layers")->as_list();
  EXPECT_EQ(layers.size(), 10U);  // of resnet8
  for (const char* const column : {"added_noise", "removed_noise", "bytes_saved", "ms_saved"})
    EXPECT_NE(layers.front().find(column), nullptr) << column;
  EXPECT_FALSE(table->find("kinds")->as_list().empty());
  EXPECT_FALSE(table->find("nodes_to_exclude")->as_list().empty());
}

TEST(LayerRanking, HasNoTimesWithoutLatencies) {
  const TemporaryFolder folder;
  SearchSetting setting(kTwoMethods + "search_sensitivity: always\nsearch_latency: false\n");
  const SearchResult result = setting.run(folder.path() / "out");
  const Value& layer = result.document.sensitivity.find("layers")->as_list().front();
  EXPECT_EQ(layer.find("ms_saved"), nullptr);
  EXPECT_NE(layer.find("added_noise"), nullptr);
}

TEST(LayerRanking, IsNotMadeWhenItIsOff) {
  const TemporaryFolder folder;
  SearchSetting setting(kTwoMethods + "search_sensitivity: never\n");
  EXPECT_TRUE(setting.run(folder.path() / "out").document.sensitivity.is_null());
}

TEST(LayerRanking, IsLeftOutAfterTheTimeLimit) {
  const TemporaryFolder folder;
  SearchSetting setting(kTwoMethods +
                        "search_sensitivity: always\n"
                        "search_stop_condition: {time_limit: 1.0e-3}\n");
  const SearchResult result = setting.run(folder.path() / "out");
  EXPECT_EQ(result.document.sensitivity.find("left_out")->as_string(), "the time limit was over");
  EXPECT_EQ(result.document.sensitivity.find("layers"), nullptr);
}

TEST(LayerRanking, TakesTheNoiseOfMixedPrecisionAfterTheTimeLimit) {
  const TemporaryFolder folder;
  SearchSetting setting(
      "quantization_config: {activation_type: QUInt8, include_auto_mp: true, extra_options: "
      "{AutoMixprecision: {ActTargetQuantType: QUInt16, WeightTargetQuantType: QInt16, L2Target: "
      "1.0e-4, ProbeSize: 2, DataSize: 8}}}\n"
      "search_space: {calibrate_method: [MinMax]}\n"
      "search_stop_condition: {time_limit: 1.0e-3}\n");
  const Value table = setting.run(folder.path() / "out").document.sensitivity;
  EXPECT_EQ(table.find("left_out")->as_string(),
            "the time limit was over; the noise is that of the trial's mixed precision");
  EXPECT_EQ(table.find("trial")->as_int(), 0);
  const Value::List& layers = table.find("layers")->as_list();
  ASSERT_EQ(layers.size(), 10U);
  for (std::size_t at = 1; at < layers.size(); ++at) {
    EXPECT_LE(layers[at].find("added_noise")->as_double(),
              layers[at - 1].find("added_noise")->as_double());
  }
}

TEST(LayerRanking, RefusesOtherWords) {
  try {
    (void)parse("search_sensitivity: sometimes\n");
    FAIL() << "expected an error";
  } catch (const InvalidInput& error) {
    EXPECT_STREQ(error.what(),
                 "configuration: 'search_sensitivity': got \"sometimes\", expected auto, always or "
                 "never");
  }
}

}  // namespace
}  // namespace quantsearch
