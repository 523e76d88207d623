// Searches that a built-in task, or a program with several scores, decides.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "autosearch/evaluator_key.h"
#include "autosearch/search_setting.h"
#include "quantsearch/base/error.h"
#include "quantsearch/internal/base/files.h"

namespace quantsearch {
namespace {

using testing::best_of;
using testing::kSource;
using testing::score_of;
using testing::SearchSetting;
namespace fs = std::filesystem;

const std::string kTwoTypes = "search_space: {weight_type: [QInt8, QInt16]}";

std::vector<std::string> log_of(SearchSetting& setting, const fs::path& folder) {
  std::vector<std::string> lines;
  setting.adjust = [&](SearchEnvironment& environment) {
    environment.log = [&](LogLevel, std::string_view line) { lines.emplace_back(line); };
  };
  (void)setting.run(folder);
  return lines;
}

TEST(EvaluatorKey, TakesTheNameOfATask) {
  const GoalConfig goals = testing::parse("search_evaluator: text").goals;
  EXPECT_EQ(goals.task, (TaskConfig{.name = "text"}));
  EXPECT_FALSE(goals.command);
  EXPECT_EQ(testing::parse("search_evaluator: {task: text, blank: 3}").goals.task->options,
            Value(Value::Map{{"blank", 3}}));
  EXPECT_EQ(testing::parse("search_evaluator: '{task: text, blank: 3}'").goals.task->options,
            Value(Value::Map{{"blank", 3}}));
}

TEST(EvaluatorKey, TakesPrograms) {
  const auto program = [](const std::string& yaml) {
    return testing::parse("search_evaluator: " + yaml).goals.command.value();
  };
  const std::vector<std::string> words = {"python3", "my script.py", "{model}"};
  EXPECT_EQ(program("{command: [python3, my script.py, '{model}']}").command, words);
  EXPECT_EQ(program(R"('python3 "my script.py" {model}')").command, words);
  EXPECT_FALSE(program("[run, '{model}']").stays_alive);
  const CommandEvaluator server =
      program("{server: python3 serve.py, timeout: 5, direction: {wer: minimize}}");
  EXPECT_TRUE(server.stays_alive);
  EXPECT_EQ(server.command, (std::vector<std::string>{"python3", "serve.py"}));
  EXPECT_EQ(server.timeout_seconds, 5);
  EXPECT_EQ(server.direction, Goal::maximize);
  EXPECT_EQ(server.directions.at("wer"), Goal::minimize);
  EXPECT_TRUE(program("'server: python3 serve.py'").stays_alive);
}

std::string message_of_evaluator(const std::string& yaml) {
  try {
    (void)testing::parse("search_evaluator: " + yaml);
  } catch (const InvalidInput& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST(EvaluatorKey, RefusesWhatItDoesNotKnow) {
  const std::string prefix = "configuration: 'search_evaluator': ";
  EXPECT_EQ(message_of_evaluator("detectoin"),
            prefix +
                "unknown task 'detectoin'; nearest known: 'detection'; a program needs "
                "'{model}' in its arguments");
  EXPECT_EQ(message_of_evaluator("{task: text, server: [a]}"),
            prefix + "got more than one of 'command', 'server' and 'task', expected one");
  EXPECT_EQ(message_of_evaluator("{server: [a, '{model}']}"),
            prefix +
                "got the server [\"a\",\"{model}\"], expected a program and its arguments "
                "without '{model}'; it reads the path of each model from a line of its input");
  EXPECT_EQ(message_of_evaluator("{direction: maximize}"),
            prefix +
                "got no 'command', 'server' or 'task', expected one of them, such as "
                "[\"python3\", \"evaluate.py\", \"{model}\"] for 'command'");
  EXPECT_EQ(message_of_evaluator("{server: [a], blank: 1}").substr(0, 75),
            prefix + "unknown evaluator key 'blank'; known: 'c");
}

TEST(Words, AreSplitAtBlanksOutsideQuotes) {
  using Words = std::vector<std::string>;
  EXPECT_EQ(words_of("  a  b\tc "), (Words{"a", "b", "c"}));
  EXPECT_EQ(words_of(R"(a'b c'd "" 'e"f')"), (Words{"ab cd", "", "e\"f"}));
  EXPECT_THROW((void)words_of("a 'b"), InvalidInput);
}

TEST(Evaluators, ATaskDecidesWithoutLabels) {
  const TemporaryFolder folder;
  SearchSetting setting("{search_evaluator: classification, " + kTwoTypes + "}");
  setting.input.labels.reset();
  const SearchResult result = setting.run(folder.path());
  EXPECT_EQ(result.document.objective, "accuracy_top1");
  EXPECT_TRUE(result.met_tolerance);
  EXPECT_EQ(result.document.float_model.scores.at("accuracy_top1"), 1);
  for (const Trial& trial : result.study.trials) {
    EXPECT_EQ(*trial.value, score_of(trial, "accuracy_top1"));
    EXPECT_GE(score_of(trial, "accuracy_top5"), *trial.value);
    EXPECT_GT(score_of(trial, "cos"), 0.9);  // the distances are recorded too
  }
}

TEST(Evaluators, ATaskSaysWhatItComparesWith) {
  const TemporaryFolder folder;
  SearchSetting setting("{search_evaluator: classification, " + kTwoTypes + "}");
  setting.input.labels.reset();
  const std::vector<std::string> lines = log_of(setting, folder.path());
  EXPECT_NE(std::ranges::find(lines,
                              "evaluator classification: models are compared with the float "
                              "model's own predictions"),
            lines.end());
  EXPECT_NE(std::ranges::find(lines,
                              "objective: accuracy_top1; a candidate has accuracy_top1 at least "
                              "0.9 (float 1, tolerance 0.1), the default"),
            lines.end());
}

TEST(Evaluators, ATaskWithLabelsScoresAsTheMetricDoes) {
  const TemporaryFolder folder;
  SearchSetting setting(
      "{search_evaluator: classification, search_metric: [accuracy_top5, size], " + kTwoTypes +
      "}");
  const SearchResult result = setting.run(folder.path());
  EXPECT_EQ(result.document.objective, "accuracy_top5");
  for (const Trial& trial : result.study.trials) {
    EXPECT_EQ(score_of(trial, "accuracy_top1"), score_of(trial, "top1"));
    EXPECT_EQ(score_of(trial, "accuracy_top5"), score_of(trial, "top5"));
    EXPECT_EQ(trial.objectives.size(), 2U);
  }
}

TEST(Evaluators, CustomIsTheFirstScoreOfATask) {
  const TemporaryFolder folder;
  SearchSetting setting("{search_evaluator: classification, search_metric: [L2, custom], " +
                        kTwoTypes + "}");
  const SearchResult result = setting.run(folder.path());
  EXPECT_EQ(result.document.objective, "L2");
  const Trial& best = best_of(result);
  EXPECT_EQ(best.objectives,
            (std::vector<double>{score_of(best, "L2"), score_of(best, "accuracy_top1")}));
}

TEST(Evaluators, ATaskConfirmsOnItsOwnPartOfTheTruth) {
  const TemporaryFolder folder;
  SearchSetting setting("{search_evaluator: classification, search_confirmation: 0.25, " +
                        kTwoTypes + "}");
  const SearchResult result = setting.run(folder.path());
  ASSERT_TRUE(result.document.confirmation);
  EXPECT_EQ(result.document.confirmation->samples, 16);
  EXPECT_GT(result.document.confirmation->float_score, 0.5);
}

TEST(Evaluators, ATaskThatDoesNotFitTheModelIsRefusedBeforeATrial) {
  const TemporaryFolder folder;
  SearchSetting setting("{search_evaluator: {task: detection, decoder: yolov8}}");
  try {
    (void)setting.run(folder.path());
    FAIL() << "nothing was thrown";
  } catch (const InvalidInput& error) {
    EXPECT_EQ(std::string(error.what()).substr(0, 45),
              "evaluator detection: output 'logits' has shap")
        << error.what();
  }
  EXPECT_FALSE(fs::exists(folder.path() / "study.db"));
}

TEST(Evaluators, ATaskAndAnEvaluatorOfTheProgramExcludeEachOther) {
  const TemporaryFolder folder;
  SearchSetting setting("search_evaluator: classification");
  setting.adjust = [](SearchEnvironment& environment) {
    environment.evaluator =
        CustomEvaluator{.score = [](const fs::path&, const CancellationToken&) { return 1.0; }};
  };
  EXPECT_THROW((void)setting.run(folder.path()), InvalidInput);
}

TEST(Evaluators, OneOfSeveralScoresDecides) {
  const TemporaryFolder folder;
  SearchSetting setting(
      "{search_evaluator: {command: [none, '{model}']}, search_metric: bytes, "
      "search_metric_tolerance: 1e9, " +
      kTwoTypes + "}");
  setting.adjust = [](SearchEnvironment& environment) {
    environment.evaluator = CustomEvaluator{
        .score =
            [](const fs::path& model, const CancellationToken&) {
              return std::map<std::string, double>{
                  {"bytes", static_cast<double>(fs::file_size(model))}, {"constant", 1}};
            },
        .directions = {{"bytes", Goal::minimize}}};
  };
  const SearchResult result = setting.run(folder.path());
  EXPECT_EQ(result.document.objective, "bytes");
  EXPECT_EQ(best_of(result).point.at("weight_type"), Value("QInt8"));
  EXPECT_EQ(score_of(best_of(result), "constant"), 1);
  EXPECT_EQ(score_of(best_of(result), "bytes"),
            static_cast<double>(fs::file_size(folder.path() / "best.onnx")));
}

TEST(Evaluators, HaveASectionWithTheirScoresInTheDocumentation) {
  const std::string page = read_file(kSource / "docs/evaluators.md");
  for (const TaskInfo& task : all_tasks()) {
    const std::size_t section = page.find("\n## " + task.name + "\n");
    ASSERT_NE(section, std::string::npos) << task.name;
    const std::string text = page.substr(section + 1, page.find("\n## ", section + 4) - section);
    for (const std::string& score : task.scores)
      EXPECT_NE(text.find("`" + score + "`"), std::string::npos) << task.name << " " << score;
  }
}

}  // namespace
}  // namespace quantsearch
