// Tests of staged and model-based searches on a shipped model with its images.

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "autosearch/search_setting.h"
#include "quantsearch/internal/base/files.h"

namespace quantsearch {
namespace {

using testing::SearchSetting;

const std::string kCalibrations = R"(
  calibrate_method: [MinMax, Percentile, Entropy]
  per_channel: [true, false]
)";
const std::string kTuning = R"(
  include_fast_ft: [false, true]
  extra_options:
    FastFinetune: {DataSize: [16], OptimAlgorithm: [adaround], NumIterations: [10, 20], LearningRate: [0.1, 0.01]}
)";
const std::string kJointTuning = R"(
  include_fast_ft: [true]
  extra_options:
    FastFinetune: {DataSize: [16], OptimAlgorithm: [adaround], NumIterLR: [[10, 0.1], [20, 0.01]]}
)";

bool is_tuned(const Trial& trial) {
  const auto found = trial.point.find("include_fast_ft");
  return found != trial.point.end() && found->second == Value(true);
}

const Trial& best_calibration(const Study& study) {
  const Trial* best = nullptr;
  for (const Trial& trial : study.trials) {
    if (!is_tuned(trial) && (best == nullptr || *trial.value < *best->value)) best = &trial;
  }
  return *best;
}

/// Expects that every tuned trial has the settings of the best calibration.
void expect_frozen(const Study& study) {
  const Trial& best = best_calibration(study);
  for (const Trial& trial : study.trials) {
    if (!is_tuned(trial)) continue;
    for (const auto& [name, value] : best.point) {
      if (name == "include_fast_ft") continue;
      EXPECT_EQ(trial.point.at(name), value) << trial.number;
    }
  }
}

std::int64_t tuned_trials(const Study& study) {
  return std::ranges::count_if(study.trials, is_tuned);
}

TEST(TwoStageSearch, ExhaustsCalibrationsAndThenTheTuningOfTheBest) {
  const TemporaryFolder folder;
  SearchSetting setting(
      "two_stage_search: true\nsearch_stop_condition: {iteration_limit: 2}\nsearch_space:" +
      kCalibrations + kTuning);
  const Study study = setting.run(folder.path()).study;
  EXPECT_EQ(study.trials.size(), 6U + 4U);  // the iteration limit does not apply
  EXPECT_EQ(tuned_trials(study), 4);
  EXPECT_FALSE(is_tuned(study.trials[5]));
  expect_frozen(study);
}

/// The announced maximum number of trials, and the number of trials run.
void expect_most_trials(const std::string& yaml, std::int64_t most) {
  const TemporaryFolder folder;
  SearchSetting setting(yaml);
  std::optional<std::int64_t> said;
  setting.adjust = [&said](SearchEnvironment& environment) {
    environment.on_space = [&said](const SearchStart& start) { said = start.most_trials; };
  };
  EXPECT_EQ(std::ssize(setting.run(folder.path()).study.trials), most) << yaml;
  EXPECT_EQ(said, most) << yaml;
}

TEST(SearchInStages, AnnouncesTheNumberOfTrialsOfAllStages) {
  // There are 6 calibrations, and each is tuned in 4 ways.
  const std::string space = "search_space:" + kCalibrations + kTuning;
  expect_most_trials(
      "two_stage_search: true\nsearch_stop_condition: {iteration_limit: 2}\n" + space, 6 + 4);
  expect_most_trials(
      "advanced_fastft_search: true\nadvanced_fastft_params: {n_trials: 3}\n" + space, 6 + 3);
  expect_most_trials(
      "advanced_fastft_search: true\nadvanced_fastft_params: {n_trials: 3}\nsearch_stop_condition: "
      "{iteration_limit: 7}\n" +
          space,
      7);
  expect_most_trials("search_algo: auto\nsearch_stop_condition: {iteration_limit: 8}\n" + space, 8);
  expect_most_trials("search_stop_condition: {iteration_limit: 3}\n" + space, 3);
}

TEST(TwoStageSearch, AcceptsTheSwitchInTheBase) {
  const TemporaryFolder folder;
  SearchSetting setting(
      "quantization_config: {include_fast_ft: true}\ntwo_stage_search: true\nsearch_space:" +
      kCalibrations + R"(
  extra_options:
    FastFinetune: {DataSize: [16], OptimAlgorithm: [adaround], NumIterations: [10, 20]}
)");
  const Study study = setting.run(folder.path()).study;
  EXPECT_EQ(study.trials.size(), 6U + 2U);
  EXPECT_EQ(tuned_trials(study), 2);
  expect_frozen(study);
}

TEST(TwoStageSearch, AcceptsTheJointParameter) {
  const TemporaryFolder folder;
  SearchSetting setting("two_stage_search: true\nsearch_space:" + kCalibrations + kJointTuning);
  const Study study = setting.run(folder.path()).study;
  EXPECT_EQ(study.trials.size(), 6U + 2U);
  expect_frozen(study);
}

TEST(TwoStageSearch, WithoutASecondStageIsAPlainSearchWithAWarning) {
  const TemporaryFolder folder;
  SearchSetting setting("two_stage_search: true\nsearch_space:" + kCalibrations);
  std::vector<std::string> lines;
  setting.adjust = [&](SearchEnvironment& environment) {
    environment.log = [&lines](LogLevel, std::string_view line) { lines.emplace_back(line); };
  };
  EXPECT_EQ(setting.run(folder.path()).study.trials.size(), 6U);
  EXPECT_EQ(std::ranges::count(lines,
                               "two_stage_search has no effect: nothing switches fine-tuning on "
                               "(include_fast_ft: true in "
                               "quantization_config, or [true] in search_space)"),
            1);
}

TEST(AdvancedSearch, IsOneStudyOverTheTuningOfTheBestCalibration) {
  const TemporaryFolder folder;
  SearchSetting setting(
      "advanced_fastft_search: true\nadvanced_fastft_params: {sampler_algo: TPE, n_trials: "
      "5}\nsearch_space:" +
      kCalibrations + R"(
  include_fast_ft: [false, true]
  extra_options:
    FastFinetune: {DataSize: [16], OptimAlgorithm: [adaround], NumIterations: {type: int, low: 2, high: 20},
                   LearningRate: {type: float, low: 0.001, high: 0.3, log: true}}
)");
  const Study study = setting.run(folder.path()).study;
  EXPECT_EQ(study.trials.size(), 6U + 5U);
  EXPECT_EQ(tuned_trials(study), 5);
  expect_frozen(study);
  std::set<double> rates;
  for (const Trial& trial : study.trials) {
    if (is_tuned(trial))
      rates.insert(trial.point.at("extra_options.FastFinetune.LearningRate").as_double());
  }
  EXPECT_EQ(rates.size(), 5U);
}

TEST(AutomaticSearch, TunesTheBestCalibrationsWithinItsLimit) {
  const TemporaryFolder folder;
  SearchSetting setting(
      "search_algo: auto\nsearch_stop_condition: {iteration_limit: 14}\nsearch_space:" +
      kCalibrations + kTuning);
  const Study study = setting.run(folder.path()).study;
  EXPECT_EQ(study.trials.size(), 14U);
  EXPECT_EQ(tuned_trials(study), 8);
  EXPECT_FALSE(is_tuned(study.trials[5]));
  EXPECT_TRUE(is_tuned(study.trials[6]));
}

class EachSampler : public ::testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(AutoSearch, EachSampler,
                         ::testing::Values("TPE", "CmaEs", "GPS", "NSGAII", "QMC", "auto"),
                         [](const auto& info) { return info.param; });

/// A search of a finite space ends after running each point once, and the same seed gives the same
/// trials for any number of threads.
TEST_P(EachSampler, ExhaustsASpaceReproducibly) {
  const std::string yaml =
      "seed: 3\nsearch_algo: " + GetParam() + "\nsearch_space:" + kCalibrations;
  std::vector<Study> studies;
  for (const int threads : {1, 2}) {
    const TemporaryFolder folder;
    SearchSetting setting(yaml);
    setting.threads = threads;
    studies.push_back(setting.run(folder.path()).study);
  }
  EXPECT_EQ(studies[0].trials.size(), 6U);
  ASSERT_EQ(studies[0].trials.size(), studies[1].trials.size());
  std::set<std::string> points;
  for (std::size_t i = 0; i < studies[0].trials.size(); ++i) {
    EXPECT_EQ(studies[0].trials[i].point, studies[1].trials[i].point);
    EXPECT_EQ(studies[0].trials[i].value, studies[1].trials[i].value);
    points.insert(to_string(studies[0].trials[i].point));
  }
  EXPECT_EQ(points.size(), 6U);
}

TEST(ParallelSearch, GivesTheModelsAndScoresOfOneJob) {
  const std::string yaml = "search_space:" + kCalibrations;
  std::vector<Study> studies;
  std::vector<std::string> models;
  for (const int jobs : {1, 3}) {
    const TemporaryFolder folder;
    SearchSetting setting(yaml + "n_jobs: " + std::to_string(jobs));
    studies.push_back(setting.run(folder.path()).study);
    models.push_back(read_file(folder.path() / "best.onnx"));
  }
  EXPECT_EQ(models[0], models[1]);
  EXPECT_EQ(studies[0].best, studies[1].best);
  ASSERT_EQ(studies[0].trials.size(), studies[1].trials.size());
  for (std::size_t i = 0; i < studies[0].trials.size(); ++i) {
    EXPECT_EQ(studies[0].trials[i].point, studies[1].trials[i].point);
    EXPECT_EQ(studies[0].trials[i].value, studies[1].trials[i].value);
  }
}

TEST(ParallelSearch, RunsOnlyAsManyTrialsAtATimeAsTheBudgetAllows) {
  const TemporaryFolder folder;
  SearchSetting setting("n_jobs: 4\nsearch_space:" + kCalibrations);
  std::vector<std::string> warnings;
  setting.adjust = [&](SearchEnvironment& environment) {
    environment.budget = ByteBudget(std::int64_t{60} << 20);
    environment.log = [&warnings](LogLevel level, std::string_view line) {
      if (level == LogLevel::warning) warnings.emplace_back(line);
    };
  };
  EXPECT_EQ(setting.run(folder.path()).study.trials.size(), 6U);
  const auto says_so = [](const std::string& line) {
    return line.starts_with("the memory budget has room for ");
  };
  EXPECT_EQ(std::ranges::count_if(warnings, says_so), 1);
}

}  // namespace
}  // namespace quantsearch
