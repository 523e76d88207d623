#include <gtest/gtest.h>

#include <limits>

#include "quantsearch/report.h"
#include "report/example.h"

namespace quantsearch {
namespace {

using testing::example_results;
using testing::example_trial;

Value data_of(const ResultsDocument& document) {
  const Value data = report_data(std::span(&document, 1));
  return data.find("searches")->as_list().front();
}

std::string json_at(const Value& value, const char* key) { return to_json(*value.find(key)); }

TEST(PageData, HasTheDocumentedKeys) {
  const Value search = data_of(example_results());
  for (const char* const key :
       {"model",          "running",        "stop_message", "objective",  "direction",
        "goal",           "tolerance",      "float",        "best",       "base_trial",
        "candidates",     "incumbents",     "next_steps",   "parameters", "constants",
        "trials",         "layers",         "importances",  "stages",     "cache",
        "space",          "seconds",        "processor",    "placement",  "layer_tables",
        "peak_rss_bytes", "rebuild_command"}) {
    EXPECT_NE(search.find(key), nullptr) << key;
  }
  EXPECT_EQ(json_at(search, "running"), "false");
  EXPECT_EQ(json_at(search, "best"), "1");
  EXPECT_EQ(json_at(search, "base_trial"), "0");
}

TEST(PageData, TellsSettingsThatDifferFromThoseOfAllTrials) {
  const Value search = data_of(example_results());
  EXPECT_EQ(json_at(search, "parameters"), R"(["calibrate_method"])");
  EXPECT_EQ(json_at(search, "constants"), R"({"per_channel":true})");
  EXPECT_EQ(json_at(search.find("trials")->as_list()[1], "config"),
            R"({"calibrate_method":"Entropy"})");
}

TEST(PageData, ASettingThatOneTrialLacksDiffers) {
  ResultsDocument document = example_results();
  document.trials[0].config.erase("per_channel");
  EXPECT_EQ(json_at(data_of(document), "parameters"), R"(["calibrate_method","per_channel"])");
}

TEST(PageData, HasTheNumbersOfATrial) {
  const Value search = data_of(example_results());
  EXPECT_EQ(to_json(search.find("trials")->as_list()[1]),
            R"({"number":1,"state":"complete","config":{"calibrate_method":"Entropy"},)"
            R"("scores":{"L2":0.25,"top1":0.9},"size_bytes":2000000,"latency_ms":1.0,)"
            R"("latency_ratio":[0.5,0.45,0.55],"candidate":true,"feasible":true,)"
            R"("conversions":null,"float_layers":null,"memory_bytes":null,"ended":null,)"
            R"("seconds":0.5,"reason":""})");
}

TEST(PageData, TrialsEndSoManySecondsAfterTheFirstBegan) {
  ResultsDocument document = example_results();
  document.trials[0].ended_at = 1.75e9 + 10;  // begun 2 s before
  document.trials[0].seconds = 2;
  document.trials[1].ended_at = 1.75e9 + 9.25;
  document.trials[1].seconds = 0.5;
  const Value search = data_of(document);
  EXPECT_EQ(json_at(search.find("trials")->as_list()[0], "ended"), "2.0");
  EXPECT_EQ(json_at(search.find("trials")->as_list()[1], "ended"), "1.25");
}

TEST(PageData, TheTimeBeginsWithTheTrialThatBeganFirst) {
  ResultsDocument document = example_results();
  document.trials[0].ended_at = 1.75e9 + 5;
  document.trials[0].seconds = 1;
  document.trials[1].ended_at = 1.75e9 + 9;  // begun 2 s before the other
  document.trials[1].seconds = 7;
  const Value::List trials = data_of(document).find("trials")->as_list();
  EXPECT_EQ(json_at(trials[0], "ended"), "3.0");
  EXPECT_EQ(json_at(trials[1], "ended"), "7.0");
}

TEST(PageData, ATrialThatDoesNotSayWhenItEndedHasNoTime) {
  ResultsDocument document = example_results();
  document.trials[0].ended_at = 1.75e9 + 5;
  document.trials[0].seconds = 1;
  document.trials[1].ended_at.reset();
  const Value::List trials = data_of(document).find("trials")->as_list();
  EXPECT_EQ(json_at(trials[0], "ended"), "1.0");
  EXPECT_EQ(json_at(trials[1], "ended"), "null");
}

TEST(PageData, SaysHowManyTrialsAreLeftOut) {
  ResultsDocument document = example_results();
  EXPECT_EQ(json_at(data_of(document), "trials_in_all"), std::to_string(document.trials.size()));
  document.trials_in_all = 5000;
  EXPECT_EQ(json_at(data_of(document), "trials_in_all"), "5000");
}

TEST(PageData, SaysWhyLayersAreLeftOut) {
  ResultsDocument document = example_results();
  document.layers = Value::Map{{"left_out", "cancelled"}};
  EXPECT_EQ(json_at(data_of(document), "layers"), R"({"left_out":"cancelled"})");
}

TEST(PageData, RoundsToSixDigitsAndMakesOfANonFiniteNumberNone) {
  ResultsDocument document = example_results();
  document.trials[0].model.scores = {{"L2", 1.0 / 3},
                                     {"sqnr", std::numeric_limits<double>::infinity()}};
  EXPECT_EQ(json_at(data_of(document).find("trials")->as_list()[0], "scores"),
            R"({"L2":0.333333,"sqnr":null})");
}

TEST(PageData, IncumbentsAreTheTrialsThatWereTheBestWhenTheyEnded) {
  ResultsDocument document = example_results();
  document.trials.push_back(example_trial(3, "MinMSE", 0.4));  // worse, and no candidate
  EXPECT_EQ(json_at(data_of(document), "incumbents"), "[0,1]");
}

TEST(PageData, AddsTheTimesOfStages) {
  EXPECT_EQ(json_at(data_of(example_results()), "stages"),
            R"([{"name":"observe","seconds":0.25,"computed":1,"reused":1}])");
}

TEST(PageData, HasTheTablesOfTheBestTrialOnly) {
  ResultsDocument document = example_results();
  document.trials[0].layer_tables["precision"] = Value::List{Value::Map{{"node", "conv"}}};
  EXPECT_EQ(json_at(data_of(document), "layer_tables"),
            R"({"reconstruction":[{"node":"conv","error_before":0.25,"error_after":0.125}]})");
}

TEST(PageData, HasTheImportanceOfParametersFromTenTrialsOn) {
  ResultsDocument document;
  document.objective = "L2";
  for (int number = 0; number < 12; ++number) {
    TrialResult& made =
        document.trials.emplace_back(example_trial(number, "MinMax", number % 2 == 0 ? 1 : 2));
    made.config = {{"bits", number % 2 == 0 ? 16 : 8}, {"seed", number / 2}};
  }
  const std::vector<ParameterImportance> importances = importances_of(document);
  ASSERT_EQ(importances.size(), 2U);
  EXPECT_EQ(importances.front().name, "bits");
  const Value rows = *data_of(document).find("importances");
  ASSERT_EQ(rows.as_list().size(), 2U);
  EXPECT_EQ(json_at(rows.as_list().front(), "name"), R"("bits")");
  EXPECT_NEAR(rows.as_list().front().find("share")->as_double(), importances.front().share, 1e-6);
  EXPECT_EQ(to_value(document).find("importances")->find("bits")->as_double(),
            importances.front().share);
  document.trials.resize(9);
  EXPECT_TRUE(importances_of(document).empty());
  EXPECT_EQ(to_value(document).find("importances"), nullptr);
}

TEST(PageData, NamesTheKeysOfLayersOnce) {
  ResultsDocument document = example_results();
  document.layers = Value::List{Value::Map{{"node", "conv"}, {"reads", Value::List{}}},
                                Value::Map{{"node", "relu"}, {"float_us", 2.0 / 3}}};
  EXPECT_EQ(json_at(data_of(document), "layers"),
            R"({"keys":["node","reads","float_us"],)"
            R"("rows":[["conv",[],null],["relu",null,0.666667]]})");
  document.layers = {};
  EXPECT_EQ(json_at(data_of(document), "layers"), "null");
}

TEST(PageData, OfASearchThatRunsSaysSo) {
  Trial complete;
  complete.number = 0;
  complete.state = TrialState::complete;
  complete.point = {{"bits", 8}};
  complete.value = 0.5;
  complete.is_candidate = true;
  Trial running;
  running.number = 1;
  const std::vector<Trial> trials{complete, running};
  const Value search = data_of(results_of("study", "L2", {Goal::minimize}, visit_of(trials)));
  EXPECT_EQ(json_at(search, "running"), "true");
  EXPECT_EQ(json_at(search, "stop_message"), R"("1 running")");
  EXPECT_EQ(search.find("trials")->as_list().size(), 1U);
  EXPECT_EQ(json_at(search, "best"), "0");
}

TEST(PageData, KeepsWhatWasKnownBeforeTheFirstTrial) {
  ResultsDocument head = example_results();
  head.trials.clear();
  head.candidates.clear();
  head.best.reset();
  head.stop_reason = kRunning;
  Trial trial;
  trial.number = 4;
  trial.state = TrialState::complete;
  trial.value = 0.125;
  const std::vector<Trial> trials{trial};
  const Value search = data_of(results_so_far(head, {Goal::minimize}, visit_of(trials)));
  EXPECT_EQ(json_at(search, "running"), "true");
  EXPECT_EQ(json_at(*search.find("float"), "size_bytes"), "8000000");
  EXPECT_EQ(json_at(search.find("trials")->as_list()[0], "scores"), R"({"L2":0.125})");
}

TEST(PageData, OfASearchWithoutTrialsHasNone) {
  const Value search = data_of({});
  EXPECT_EQ(json_at(search, "trials"), "[]");
  EXPECT_EQ(json_at(search, "best"), "null");
  EXPECT_EQ(json_at(search, "next_steps"), R"(["No trial has ended yet."])");
}

TEST(PageData, HoldsSeveralSearchesAndHowOftenTheyAreAskedFor) {
  const std::vector<ResultsDocument> both = {example_results(), example_results()};
  const Value data = report_data(both, 3);
  EXPECT_EQ(data.find("searches")->as_list().size(), 2U);
  EXPECT_EQ(json_at(data, "refresh_seconds"), "3");
  EXPECT_EQ(json_at(report_data(both), "refresh_seconds"), "null");
}

}  // namespace
}  // namespace quantsearch
