#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "quantsearch/report.h"

namespace quantsearch {
namespace {

Trial trial_with(std::int64_t number, double value) {
  Trial trial;
  trial.number = number;
  trial.state = TrialState::complete;
  trial.point = {{"activation_type", "QInt8"}};
  trial.value = value;
  trial.seconds = 0.25;
  return trial;
}

ProgressOptions minimizing(const char* objective) {
  return {.objective = objective, .ranking = Goal::minimize};
}

TEST(ProgressLine, EachTrialIsALineWithoutATerminal) {
  std::ostringstream out;
  {
    ProgressLine progress(out, minimizing("L2"));
    progress.started(0);
    progress.finished(trial_with(0, 0.5));
    progress.finished(trial_with(1, 0.75));
    Trial failed = trial_with(2, 0);
    failed.state = TrialState::failed;
    failed.value = std::nullopt;
    failed.reason = "no luck";
    progress.finished(failed);
  }
  EXPECT_EQ(out.str(),
            "trial 0   L2 0.5        best    0.25 s  activation_type=QInt8\n"
            "trial 1   L2 0.75               0.25 s  activation_type=QInt8\n"
            "trial 2   failed: activation_type=QInt8: no luck\n");
}

TEST(ProgressLine, WhatAllTrialsHaveInCommonIsSaidOnce) {
  std::ostringstream out;
  {
    ProgressOptions options = minimizing("L2");
    options.space = Space({{.name = "activation_type", .choices = {"QInt8"}},
                           {.name = "include_cle", .choices = {false, true}},
                           {.name = "extra_options.Percentile", .choices = {99.9, 99.99}}});
    ProgressLine progress(out, std::move(options));
    for (const std::int64_t number : {0, 1, 2, 3}) {
      Trial trial = trial_with(number, 0.5);
      trial.is_candidate = true;
      trial.point["include_cle"] = number == 1;
      trial.point["extra_options.Percentile"] = number == 3 ? 99.99 : 99.9;
      progress.finished(trial);
    }
  }
  EXPECT_EQ(out.str(),
            "every trial: activation_type=QInt8\n"
            "a switch that is not named is off; any other setting that is not named is that\n"
            "  of the first trial below; *: within the tolerance and the limits\n"
            "trial 0   L2 0.5       * best   0.25 s  Percentile=99.9\n"
            "trial 1   L2 0.5       *        0.25 s  cle\n"
            "trial 2   L2 0.5       *        0.25 s  -\n"
            "trial 3   L2 0.5       *        0.25 s  Percentile=99.99\n");
}

TEST(ProgressLine, AReasonIsShownOnce) {
  std::ostringstream out;
  {
    ProgressLine progress(out, minimizing("L2"));
    for (const std::int64_t number : {0, 1, 2}) {
      Trial trial = trial_with(number, 0);
      trial.state = TrialState::pruned;
      trial.value = std::nullopt;
      trial.reason = number == 1 ? "out of time" : "out of the tolerance";
      progress.finished(trial);
    }
  }
  EXPECT_EQ(out.str(),
            "trial 0   pruned: activation_type=QInt8: out of the tolerance\n"
            "trial 1   pruned: activation_type=QInt8: out of time\n"
            "trial 2   pruned: activation_type=QInt8: as trial 0\n");
}

TEST(ProgressLine, NoLineIsWiderThanTheTerminal) {
  std::ostringstream out;
  {
    ProgressOptions options = minimizing("worst_slice");
    options.width = 60;
    ProgressLine progress(out, std::move(options));
    Trial trial = trial_with(100000, 0.123456789);
    trial.point["nodes_to_exclude"] = Value::List{std::string(100, 'x'), std::string(70, 'y')};
    trial.point["calibrate_method"] = "PowerOfTwoMethod.NonOverflow";
    progress.finished(trial);
  }
  std::istringstream lines(out.str());
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 60U) << line;
}

TEST(ProgressLine, TheBestFollowsTheGoal) {
  std::ostringstream out;
  {
    ProgressLine progress(out, {.objective = "top1", .ranking = Goal::maximize});
    progress.finished(trial_with(0, 0.5));
    progress.finished(trial_with(1, 0.75));
  }
  EXPECT_NE(out.str().find("trial 1   top1 0.75       best"), std::string::npos) << out.str();
}

TEST(ProgressLine, TheBestIsThatOfTheSummary) {
  // A candidate is better than a better value beyond the tolerance, and of equal values the one
  // with fewer float layers is better.
  std::vector<Trial> trials = {trial_with(0, 0.1), trial_with(1, 0.5), trial_with(2, 0.5),
                               trial_with(3, 0.5)};
  for (std::size_t i = 1; i < trials.size(); ++i) trials[i].is_candidate = true;
  for (Trial& trial : trials) {
    trial.details = Value::Map{{"scores", Value::Map{{"L2", *trial.value}}},
                               {"float_layers", trial.number == 2 ? 0 : 1}};
  }
  std::ostringstream out;
  {
    ProgressLine progress(out, minimizing("L2"));
    for (const Trial& trial : trials) progress.finished(trial);
  }
  const std::size_t last = out.str().rfind(" best ");
  EXPECT_EQ(out.str().rfind("trial ", last), out.str().find("trial 2")) << out.str();
  const ResultsDocument document = results_of("study", "L2", {Goal::minimize}, visit_of(trials));
  EXPECT_EQ(document.best, 2);
  EXPECT_EQ(document.candidates, (std::vector<std::int64_t>{2, 1, 3}));
  EXPECT_NE(summary_text(document).find("best (trial 2)"), std::string::npos);
  EXPECT_NE(trials_table(document).find("\n1 *"), std::string::npos);
  EXPECT_LT(trials_table(document).find("\n1 *"), trials_table(document).find("\n0 "));
}

TEST(ProgressLine, ATerminalGetsOneLineThatIsRewritten) {
  std::ostringstream out;
  {
    ProgressLine progress(
        out, {.is_terminal = true, .objective = "L2", .ranking = Goal::minimize, .total = 3});
    progress.started(0);
    progress.finished(trial_with(0, 0.5));
  }
  const std::string text = out.str();
  EXPECT_EQ(text.front(), '\r');
  EXPECT_EQ(std::ranges::count(text, '\n'), 1);
  EXPECT_NE(text.find("trial 1/3  best L2 0.5 (trial 0)"), std::string::npos);
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find_first_of("\r\n", begin + 1), text.size());
    EXPECT_LE(end - begin, 80U);
    begin = end;
  }
}

}  // namespace
}  // namespace quantsearch
