#include "quantsearch/trials/goals.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "quantsearch/autosearch.h"
#include "quantsearch/base/error.h"

namespace quantsearch {
namespace {

AutoSearchConfig with_metric(const std::string& yaml) {
  return parse_search_config(parse_yaml("search_metric: " + yaml, "test"));
}

/// With a program as the evaluator, whose scores are not known before it runs.
GoalConfig with_program(const std::string& metric) {
  return parse_search_config(
             parse_yaml("{search_evaluator: {server: [serve]}, search_metric: " + metric + "}",
                        "test"))
      .goals;
}

std::string message_of_goals(const std::string& yaml, bool has_evaluator) {
  try {
    require_objectives(with_metric(yaml).goals, has_evaluator);
  } catch (const InvalidInput& error) {
    return error.what();
  }
  return "nothing was thrown";
}

std::vector<std::string> names_of(const std::string& yaml, const ScoreNames& evaluator = {}) {
  const AutoSearchConfig config = with_metric(yaml);
  require_objectives(config.goals, true);
  Scores scores;
  scores.metrics = {{"L2", 0}, {"custom", 1}};
  scores.latency.emplace();
  const SearchGoals goals(config.goals, objective_of(config.goals, evaluator), scores, evaluator);
  std::vector<std::string> names;
  for (const ObjectiveName& objective : goals.objectives()) {
    names.push_back(objective.name + (objective.goal == Goal::maximize ? " up" : " down"));
  }
  return names;
}

using Names = std::vector<std::string>;

TEST(Objectives, OfAnEvaluatorHaveTheirPositionInTheList) {
  EXPECT_EQ(names_of("[custom, latency]"), (Names{"custom up", "latency_ms down"}));
  EXPECT_EQ(names_of("[L2, custom]"), (Names{"L2 down", "custom up"}));
  EXPECT_EQ(names_of("custom"), (Names{"custom up"}));
  EXPECT_EQ(names_of("L2"), (Names{"custom up"}));  // L2 is only recorded
}

TEST(Objectives, AMetricThatAnEvaluatorWouldReplaceInAListIsAnError) {
  EXPECT_EQ(message_of_goals("[L2, latency]", true),
            "search: search_metric begins with 'L2' in a list without a score of the evaluator, "
            "which would take the place of 'L2'; put 'custom' into the list, or leave out "
            "search_evaluator");
  EXPECT_EQ(message_of_goals("[L2, latency]", false), "nothing was thrown");
}

TEST(Objectives, CustomNeedsAnEvaluator) {
  const std::string message =
      "search: search_metric names 'custom', the score of an evaluator, and there is none; give "
      "search_evaluator or leave it out";
  EXPECT_EQ(message_of_goals("custom", false), message);
  EXPECT_EQ(message_of_goals("[custom, size]", false), message);
}

TEST(Objectives, MayBeScoresOfTheEvaluatorByName) {
  const ScoreNames evaluator{.directions = {{"wer", Goal::minimize}}};
  const auto first = [&](const std::string& metric) {
    const ObjectiveName objective = objective_of(with_program(metric), evaluator);
    return objective.name + (objective.goal == Goal::maximize ? " up" : " down");
  };
  EXPECT_EQ(first("map50"), "map50 up");
  EXPECT_EQ(first("wer"), "wer down");
  EXPECT_EQ(first("[map50, size]"), "map50 up");
  EXPECT_EQ(first("[L2, wer]"), "L2 down");
  EXPECT_EQ(first("L2"), "custom up");  // L2 is only recorded
  EXPECT_EQ(with_program("[wer, latency]").more_objectives, Names{"latency_ms"});
}

std::string message_of_metric(const std::string& yaml) {
  try {
    (void)parse_search_config(parse_yaml(yaml, "test"));
  } catch (const InvalidInput& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST(Objectives, ByNameNeedAnEvaluatorThatKnowsThem) {
  EXPECT_EQ(message_of_metric("search_metric: map50").substr(0, 56),
            "configuration: 'search_metric': unknown metric 'map50'; ");
  EXPECT_EQ(message_of_metric(
                "{search_evaluator: {task: detection, decoder: nms}, search_metric: [map, map51]}"),
            "configuration: 'search_metric': evaluator detection: unknown score 'map51'; nearest "
            "known: 'map50', 'map', 'map75'");
  EXPECT_EQ(message_of_metric(
                "{search_evaluator: {task: detection, decoder: nms}, search_metric: map50}"),
            "nothing was thrown");
  EXPECT_EQ(message_of_metric("search_metric: size"),
            "configuration: 'search_metric': begins with 'size_bytes', expected a metric or a "
            "score of the evaluator first; for the smallest or fastest model give search_goal");
}

std::map<std::string, double> given_scores(const EvaluatorScores& scores,
                                           const std::vector<std::string>& objectives) {
  return custom_scores(
      {.score = [&](const std::filesystem::path&, const CancellationToken&) { return scores; }},
      objectives, Model{}, {});
}

std::string message_of_scores(const EvaluatorScores& scores,
                              const std::vector<std::string>& objectives) {
  try {
    (void)given_scores(scores, objectives);
  } catch (const IoError& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST(CustomScores, AreRecordedByName) {
  using Map = std::map<std::string, double>;
  EXPECT_EQ(given_scores(0.5, {"custom"}), (Map{{"custom", 0.5}}));
  EXPECT_EQ(given_scores(Map{{"map", 1}, {"map50", 2}}, {"map50"}),
            (Map{{"map", 1}, {"map50", 2}}));
  EXPECT_EQ(given_scores(Map{{"map", 1}}, {"custom"}), (Map{{"custom", 1}, {"map", 1}}));
  EXPECT_EQ(given_scores(Map{{"map", 1}, {"custom", 2}}, {"custom", "map"}),
            (Map{{"custom", 2}, {"map", 1}}));
  EXPECT_EQ(given_scores(Map{{"map", 1}, {"wer", 2}}, {"L2", "wer"}),
            (Map{{"map", 1}, {"wer", 2}}));
}

TEST(CustomScores, OneOfSeveralHasToBeNamed) {
  using Map = std::map<std::string, double>;
  EXPECT_EQ(message_of_scores(Map{{"map", 1}, {"map50", 2}}, {"custom"}),
            "evaluate: the evaluator gave the scores 'map', 'map50', expected search_metric "
            "(--metric) to name the one that decides");
  EXPECT_EQ(message_of_scores(Map{{"map", 1}, {"map50", 2}}, {"map75"}),
            "evaluate: search_metric names 'map75', and the evaluator gave 'map', 'map50'");
  EXPECT_EQ(message_of_scores(0.5, {"map75"}),
            "evaluate: search_metric names 'map75', and the evaluator gave 'custom'");
  EXPECT_EQ(message_of_scores(Map{{"L2", 1}}, {"L2"}),
            "evaluate: the evaluator gave a score the name 'L2', which the search uses itself; "
            "choose another one");
}

TEST(Objectives, TheCommandLineReplacesOnlyTheFirst) {
  const auto with = [](const char* metric) {
    return parse_search_config(parse_yaml("search_metric: [L2, cos, size]", "test"),
                               {{.key = "search_metric", .value = metric, .flag = "--metric"}})
        .goals;
  };
  EXPECT_EQ(with("cos").metric, Metric::cos);
  EXPECT_EQ(with("cos").more_objectives, Names{"size_bytes"} /* L2 was the first */);
  EXPECT_EQ(with("custom").named_first, "custom");
}

}  // namespace
}  // namespace quantsearch
