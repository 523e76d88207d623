#include "quantsearch/trials/goals.h"

#include <gtest/gtest.h>

#include "quantsearch/autosearch.h"
#include "quantsearch/base/error.h"

namespace quantsearch {
namespace {

AutoSearchConfig with_metric(const std::string& yaml) {
  return parse_search_config(parse_yaml("search_metric: " + yaml, "test"));
}

std::string message_of_goals(const std::string& yaml, bool has_evaluator) {
  try {
    require_objectives(with_metric(yaml).goals, has_evaluator);
  } catch (const InvalidInput& error) {
    return error.what();
  }
  return "nothing was thrown";
}

const CustomEvaluator kEvaluator{
    .score = [](const std::filesystem::path&, const CancellationToken&) { return 0.5; },
    .direction = Goal::maximize};

std::vector<std::string> names_of(const std::string& yaml) {
  const AutoSearchConfig config = with_metric(yaml);
  require_objectives(config.goals, true);
  Scores scores;
  scores.metrics = {{"L2", 0}, {"custom", 1}};
  scores.latency.emplace();
  const SearchGoals goals(config.goals, objective_of(config.goals, kEvaluator), scores,
                          &kEvaluator);
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
            "search: search_metric begins with 'L2' in a list without 'custom', and an evaluator "
            "is given, whose score would take the place of "
            "'L2'; put 'custom' into the list, or leave out search_evaluator");
  EXPECT_EQ(message_of_goals("[L2, latency]", false), "nothing was thrown");
}

TEST(Objectives, CustomNeedsAnEvaluator) {
  const std::string message =
      "search: search_metric names 'custom', the score of an evaluator, and there is none; give "
      "search_evaluator or leave it out";
  EXPECT_EQ(message_of_goals("custom", false), message);
  EXPECT_EQ(message_of_goals("[custom, size]", false), message);
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
