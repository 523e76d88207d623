#include "autosearch/staging.h"

#include <gtest/gtest.h>

#include "autosearch/search_setting.h"
#include "autosearch/stages.h"
#include "autosearch/strategy.h"
#include "quantsearch/base/error.h"

namespace quantsearch {
namespace {

using testing::parse;
using Lines = std::vector<std::string>;

StagingChoice choice_of(const std::string& yaml) {
  const AutoSearchConfig config = parse(yaml);
  return choose_staging(config, *config.space, normalize_over(config.base));
}

const std::string kTuned = "quantization_config: {include_fast_ft: true}\n";
const std::string kSpace =
    "search_space: {calibrate_method: [MinMax, Entropy], extra_options: {FastFinetune: "
    "{NumIterations: [10, 20]}}}\n";

TEST(Staging, UsesTheSwitchOfTheBase) {
  const StagingChoice choice = choice_of(kTuned + kSpace + "two_stage_search: true");
  EXPECT_EQ(choice.staging, Staging::two_stages);
  EXPECT_TRUE(choice.warnings.empty());
  EXPECT_EQ(first_stage(choice.space).size(), 2);
  EXPECT_EQ(second_stage(choice.space, {{{"calibrate_method", "CalibrationMethod.Entropy"},
                                         {"include_fast_ft", false}}})
                .value()
                .size(),
            2);
  const AutoSearchConfig advanced = parse(kTuned + kSpace + "advanced_fastft_search: true");
  EXPECT_NO_THROW(check_stages(advanced, *advanced.space));
}

TEST(Staging, WarnsWhenTwoStagesHaveNoEffect) {
  EXPECT_EQ(choice_of(kSpace + "two_stage_search: true").warnings,
            Lines{"two_stage_search has no effect: nothing switches fine-tuning on "
                  "(include_fast_ft: true in quantization_config, or [true] in "
                  "search_space)"});
  EXPECT_EQ(choice_of(kTuned +
                      "search_space: {calibrate_method: [MinMax, Entropy]}\ntwo_stage_search: true")
                .warnings,
            Lines{"two_stage_search has no effect: the space varies no setting of fine-tuning "
                  "(extra_options.FastFinetune); every trial is tuned as "
                  "the base says"});
  const StagingChoice one = choice_of(kTuned +
                                      "search_space: {extra_options: {FastFinetune: "
                                      "{NumIterations: [10, 20]}}}\ntwo_stage_search: true");
  EXPECT_EQ(one.staging, Staging::none);
  EXPECT_EQ(one.warnings,
            Lines{"two_stage_search has no effect: the space has one calibration only"});
}

TEST(Staging, WarnsOfOptionsThatTwoStagesDoNotRead) {
  EXPECT_EQ(choice_of(kTuned + kSpace +
                      "two_stage_search: true\nsearch_algo: TPE\nsearch_stop_condition: "
                      "{iteration_limit: 3, time_limit: 60}")
                .warnings,
            (Lines{"two_stage_search: both stages are exhausted, so search_algo has no effect",
                   "two_stage_search: both stages are exhausted, so iteration_limit of "
                   "search_stop_condition has no effect"}));
  EXPECT_EQ(
      choice_of(kTuned + kSpace +
                "two_stage_search: true\nadvanced_fastft_search: true\nsearch_algo: TPE")
          .warnings,
      (Lines{
          "advanced_fastft_search has both stages of two_stage_search, which has no further effect",
          "advanced_fastft_search: the calibrations are walked whole and sampler_algo chooses the "
          "fine-tuning, so search_algo has no effect"}));
}

TEST(Staging, AnAdvancedSearchWithoutFineTuningSaysWhereItIsSwitchedOn) {
  const AutoSearchConfig config = parse(kSpace + "advanced_fastft_search: true");
  try {
    check_stages(config, *config.space);
    FAIL();
  } catch (const InvalidInput& error) {
    EXPECT_STREQ(error.what(),
                 "search: advanced_fastft_search needs a space with 'include_fast_ft: [true]', or "
                 "'include_fast_ft: true' in "
                 "quantization_config");
  }
}

// One of two spaces calibrates and the other tunes; they are the two stages.
TEST(Staging, AcceptsOneSpaceThatCalibratesAndOneThatTunes) {
  const StagingChoice choice = choice_of(
      "search_space: [{calibrate_method: [MinMax, Entropy]}, {include_fast_ft: [true], "
      "extra_options: {FastFinetune: {NumIterations: [10, 20]}}}]\n"
      "two_stage_search: true");
  EXPECT_EQ(choice.staging, Staging::two_stages);
  const Space second =
      second_stage(choice.space, {{{"calibrate_method", "CalibrationMethod.Entropy"},
                                   {"include_fast_ft", false}}})
          .value();
  EXPECT_EQ(second.size(), 2);
  EXPECT_EQ(to_string(second.at(0)),
            "calibrate_method=CalibrationMethod.Entropy "
            "extra_options.FastFinetune.NumIterations=10 include_fast_ft=true");
}

std::vector<std::pair<std::string, std::int64_t>> stages_of(const std::string& yaml) {
  const Model model = load_model(std::string(QUANTSEARCH_SOURCE_DIR) + "/tests/data/resnet8.onnx");
  std::vector<std::pair<std::string, std::int64_t>> stages;
  for (const PlannedStage& stage : plan_space(parse(yaml), model, 0).stages) {
    EXPECT_GT(stage.expected_seconds, 0);
    stages.emplace_back(stage.name, stage.trials);
  }
  return stages;
}

using Stages = std::vector<std::pair<std::string, std::int64_t>>;

TEST(SpacePlan, ShowsTheStages) {
  EXPECT_EQ(stages_of(kSpace), (Stages{{"search", 2}}));
  EXPECT_EQ(stages_of(kTuned + kSpace + "two_stage_search: true"),
            (Stages{{"calibration", 2}, {"fine-tuning of the best calibration", 2}}));
  EXPECT_EQ(
      stages_of(kTuned + "advanced_fastft_search: true\nadvanced_fastft_params: {n_trials: 5}\n"
                         "search_space: {calibrate_method: [MinMax, Entropy], extra_options: "
                         "{FastFinetune: {LearningRate: {type: float, "
                         "low: 0.001, high: 0.1, log: true}}}}"),
      (Stages{{"calibration", 2}, {"fine-tuning of the best calibration", 5}}));
  EXPECT_EQ(stages_of(kTuned + "advanced_fastft_search: true\nsearch_space: {extra_options: "
                               "{FastFinetune: {NumIterations: [10, 20]}}}"),
            (Stages{{"fine-tuning of the best calibration", 2}}));
}

}  // namespace
}  // namespace quantsearch
