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

TEST(ProgressLine, EachTrialIsALineWithoutATerminal) {
  std::ostringstream out;
  {
    ProgressLine progress(out, false, "L2", Goal::minimize, 3);
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
            "trial 0 complete: activation_type=QInt8: L2 0.5, 0.250 s; best L2 0.5 (trial 0)\n"
            "trial 1 complete: activation_type=QInt8: L2 0.75, 0.250 s; best L2 0.5 (trial 0)\n"
            "trial 2 failed: activation_type=QInt8: no luck\n");
}

TEST(ProgressLine, TheBestFollowsTheGoal) {
  std::ostringstream out;
  {
    ProgressLine progress(out, false, "top1", Goal::maximize, std::nullopt);
    progress.finished(trial_with(0, 0.5));
    progress.finished(trial_with(1, 0.75));
  }
  EXPECT_NE(out.str().find("best top1 0.75 (trial 1)"), std::string::npos);
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
    ProgressLine progress(out, false, "L2", Goal::minimize, std::nullopt);
    for (const Trial& trial : trials) progress.finished(trial);
  }
  EXPECT_TRUE(out.str().ends_with("best L2 0.5 (trial 2)\n")) << out.str();
  const ResultsDocument document = results_of("study", "L2", Goal::minimize, trials);
  EXPECT_EQ(document.best, 2);
  EXPECT_EQ(document.candidates, (std::vector<std::int64_t>{2, 1, 3}));
  EXPECT_NE(summary_text(document).find("best (trial 2)"), std::string::npos);
  EXPECT_NE(trials_table(document).find("\n1 *"), std::string::npos);
  EXPECT_LT(trials_table(document).find("\n1 *"), trials_table(document).find("\n0 "));
}

TEST(ProgressLine, ATerminalGetsOneLineThatIsRewritten) {
  std::ostringstream out;
  {
    ProgressLine progress(out, true, "L2", Goal::minimize, 3);
    progress.started(0);
    progress.finished(trial_with(0, 0.5));
  }
  const std::string text = out.str();
  EXPECT_EQ(text.front(), '\r');
  EXPECT_EQ(std::ranges::count(text, '\n'), 1);
  EXPECT_NE(text.find("trial 1/3  best L2 0.5 (trial 0)"), std::string::npos);
}

}  // namespace
}  // namespace quantsearch
