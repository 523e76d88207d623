// The code blocks of AMD Quark's page on automatic search in three forms: as YAML, as the Python
// text of the page after a YAML key, and in C++.

#include <gtest/gtest.h>

#include <algorithm>

#include "autosearch/search_setting.h"
#include "autosearch/settled_space.h"
#include "quantsearch/internal/base/files.h"

namespace quantsearch {
namespace {

using testing::kTune;
using testing::SearchSetting;

struct Block {
  std::string name;
  std::string yaml;
  std::string python;
  AutoSearchConfig (*in_code)();
};

AutoSearchConfig two_stage_config() {
  AutoSearchConfig config;
  config.base = settings_from(Value());
  config.strategy.two_stage = true;
  return config;
}

AutoSearchConfig advanced_config() {
  AutoSearchConfig config;
  config.base = {{"include_fast_ft", true}};
  config.strategy.advanced = AdvancedFinetuneSearch{
      .sampler = SearchAlgorithm::tpe, .direction = Goal::minimize, .trials = 10};
  config.space = Space({{.name = kTune + "NumIterations", .choices = {100, 200}},
                        {.name = kTune + "LearningRate", .choices = {1e-3, 1e-7}}});
  return config;
}

AutoSearchConfig joint_config() {
  AutoSearchConfig config;
  config.space = Space(
      {{.name = "include_fast_ft", .choices = {true}},
       {.name = kTune + "NumIterLR", .choices = {Value::List{100, 1e-4}, Value::List{200, 1e-5}}}});
  return config;
}

AutoSearchConfig example_config() {
  AutoSearchConfig config;
  const std::string extra = "extra_options.";
  config.space = Space({{.name = "calibrate_method",
                         .choices = {"PowerOfTwoMethod.MinMSE", "PowerOfTwoMethod.NonOverflow",
                                     "CalibrationMethod.MinMax", "CalibrationMethod.Entropy",
                                     "CalibrationMethod.Percentile"}},
                        {.name = "activation_type", .choices = {"QuantType.QInt8", "QInt16"}},
                        {.name = "weight_type", .choices = {"QuantType.QInt8", "QInt16"}},
                        {.name = "include_cle", .choices = {true, false}},
                        {.name = "include_auto_mp", .choices = {false, true}},
                        {.name = "include_fast_ft", .choices = {false, true}},
                        {.name = "include_sq", .choices = {false, true}},
                        {.name = extra + "ActivationSymmetric", .choices = {true, false}},
                        {.name = extra + "WeightSymmetric", .choices = {true, false}},
                        {.name = extra + "CalibMovingAverage", .choices = {true, false}},
                        {.name = extra + "CalibMovingAverageConstant", .choices = {0.01, 0.001}},
                        {.name = extra + "Percentile", .choices = {99.99, 99.999}},
                        {.name = extra + "SmoothAlpha", .choices = {0.5, 0.6}},
                        {.name = kTune + "DataSize", .choices = {500, 1000}},
                        {.name = kTune + "NumIterations", .choices = {100, 1000}},
                        {.name = kTune + "OptimAlgorithm", .choices = {"adaround", "adaquant"}},
                        {.name = kTune + "LearningRate", .choices = {0.01, 0.001, 0.0001}},
                        {.name = kTune + "FixedSeed", .choices = {42}}});
  config.strategy.stop.iteration_limit = 1000;
  config.strategy.stop.time_limit_seconds = 3600;
  return config;
}

std::vector<Block> blocks() {
  return {
      {"TwoStage", "two_stage_search: true", "two_stage_search: True  # Default value is False",
       two_stage_config},
      {"Advanced",
       R"(
quantization_config: {include_fast_ft: true}
advanced_fastft_search: true
n_jobs: 1
search_devices: cpu
advanced_fastft_params: {sampler_algo: TPE, direction: minimize, n_trials: 10}
search_space:
  extra_options:
    FastFinetune:
      NumIterations: [100, 200]
      LearningRate: [1.0e-3, 1.0e-7]
)",
       R"(
    # ... other auto search configs
    quantization_config: {"include_fast_ft": True}
    advanced_fastft_search: True # Default value is False
    n_jobs: 1
    search_devices: "cpu"
    advanced_fastft_params: {"sampler_algo": "TPE", "direction": "minimize", "n_trials": 10}
    search_space: {
        "extra_options": {
            "FastFinetune": {
                "NumIterations": [100, 200],
                "LearningRate": [1e-3, 1e-7],
            }
        }
    }
)",
       advanced_config},
      {"Joint",
       R"(
search_space:
  include_fast_ft: [true]
  extra_options:
    FastFinetune:
      NumIterLR: [[100, 1.0e-4], [200, 1.0e-5]]
)",
       R"(
    search_space: {
        "include_fast_ft": [True],
        "extra_options": {
            "FastFinetune": {
                "NumIterLR": [[100, 1e-4], [200, 1e-5]]
            }
        }
    }
)",
       joint_config},
      {"Example",
       R"(
search_space:
  calibrate_method: [PowerOfTwoMethod.MinMSE, PowerOfTwoMethod.NonOverflow, MinMax, Entropy, Percentile]
  activation_type: [QInt8, QInt16]
  weight_type: [QInt8, QInt16]
  include_cle: [true, false]
  include_auto_mp: [false, true]
  include_fast_ft: [false, true]
  include_sq: [false, true]
  extra_options:
    ActivationSymmetric: [true, false]
    WeightSymmetric: [true, false]
    CalibMovingAverage: [true, false]
    CalibMovingAverageConstant: [0.01, 0.001]
    Percentile: [99.99, 99.999]
    SmoothAlpha: [0.5, 0.6]
    FastFinetune:
      DataSize: [500, 1000]
      NumIterations: [100, 1000]
      OptimAlgorithm: [adaround, adaquant]
      LearningRate: [0.01, 0.001, 0.0001]
      FixedSeed: [42]
search_stop_condition: {find_n_candidates: -1, find_best_candidate: -1, iteration_limit: 1000, time_limit: 3600}
search_evaluator: null
)",
       R"(
search_space: {
"calibrate_method": [
        PowerOfTwoMethod.MinMSE, PowerOfTwoMethod.NonOverflow, CalibrationMethod.MinMax, CalibrationMethod.Entropy,
        CalibrationMethod.Percentile ],
    "activation_type": [QuantType.QInt8, QuantType.QInt16],
    "weight_type": [QuantType.QInt8, QuantType.QInt16],
    "include_cle": [True, False],
    "include_auto_mp": [False, True],
    "include_fast_ft": [False, True],
    "include_sq": [False, True],
    "extra_options": {
        "ActivationSymmetric": [True, False],
        "WeightSymmetric": [True, False],
        "CalibMovingAverage": [True, False],
        "CalibMovingAverageConstant": [0.01, 0.001],
        "Percentile": [99.99, 99.999],
        "SmoothAlpha": [0.5, 0.6],
        'FastFinetune': {
            'DataSize': [500, 1000],
            'NumIterations': [100, 1000],
            'OptimAlgorithm': ['adaround', 'adaquant'],
            'LearningRate': [0.01, 0.001, 0.0001],
            'FixedSeed': [42],
        }
    }
}
search_stop_condition: {
    "find_n_candidates": -1,
    "find_best_candidate": -1,
    "iteration_limit": 1000,
    "time_limit": 3600,  # in seconds
}
search_evaluator: None
)",
       example_config},
  };
}

void PrintTo(const Block& block, std::ostream* stream) { *stream << block.name; }

class DocumentBlock : public ::testing::TestWithParam<Block> {};
INSTANTIATE_TEST_SUITE_P(Quark, DocumentBlock, ::testing::ValuesIn(blocks()),
                         [](const auto& info) { return info.param.name; });

std::vector<std::vector<Parameter>> products_of(const AutoSearchConfig& config) {
  return settled_space(config.space.value_or(default_space(config.base)), std::nullopt).products();
}

TEST_P(DocumentBlock, MeansTheSameInEveryForm) {
  const AutoSearchConfig in_code = GetParam().in_code();
  for (const std::string& text : {GetParam().yaml, GetParam().python}) {
    const AutoSearchConfig read = parse_search_config(parse_yaml(text, "block"));
    EXPECT_EQ(products_of(read), products_of(in_code)) << text;
    EXPECT_EQ(read.base, in_code.base);
    EXPECT_EQ(read.strategy.two_stage, in_code.strategy.two_stage);
    EXPECT_EQ(read.strategy.advanced.has_value(), in_code.strategy.advanced.has_value());
    if (read.strategy.advanced && in_code.strategy.advanced) {
      EXPECT_EQ(read.strategy.advanced->trials, in_code.strategy.advanced->trials);
      EXPECT_EQ(read.strategy.advanced->sampler, in_code.strategy.advanced->sampler);
      EXPECT_EQ(read.strategy.advanced->direction, in_code.strategy.advanced->direction);
    }
    EXPECT_EQ(read.strategy.stop.iteration_limit, in_code.strategy.stop.iteration_limit);
    EXPECT_EQ(read.strategy.stop.time_limit_seconds, in_code.strategy.stop.time_limit_seconds);
    EXPECT_EQ(read.strategy.stop.find_n_candidates, std::nullopt);
    EXPECT_FALSE(read.goals.command.has_value());
  }
}

struct Ran {
  Study study;
  std::vector<std::string> warnings;
};

Ran run(const AutoSearchConfig& config) {
  const TemporaryFolder folder;
  SearchSetting setting("{}", testing::kSource / "tests/data/resnet8.onnx", 16);
  setting.config = config;
  setting.input.calibration = subset(setting.input.calibration, 0, 8);
  Ran ran;
  setting.adjust = [&ran](SearchEnvironment& environment) {
    environment.log = [&ran](LogLevel level, std::string_view line) {
      if (level == LogLevel::warning) ran.warnings.emplace_back(line);
    };
  };
  ran.study = setting.run(folder.path()).study;
  return ran;
}

std::vector<AutoSearchConfig> forms_of(const std::string& name) {
  const std::vector<Block> all = blocks();
  const Block& block = *std::ranges::find(all, name, &Block::name);
  return {parse_search_config(parse_yaml(block.yaml, "block")),
          parse_search_config(parse_yaml(block.python, "block")), block.in_code()};
}

// The base switches fine-tuning on and there is one calibration, so that every trial is one of the
// four pairs.
TEST(DocumentSearch, TheAdvancedBlockTunesOverItsFourPairs) {
  for (const AutoSearchConfig& config : forms_of("Advanced")) {
    const Ran ran = run(config);
    EXPECT_TRUE(ran.warnings.empty()) << ran.warnings.front();
    ASSERT_EQ(ran.study.trials.size(), 4U);
    for (const Trial& trial : ran.study.trials) {
      EXPECT_EQ(trial.state, TrialState::complete) << trial.reason;
      EXPECT_EQ(trial.point.at("include_fast_ft"), Value(true));
    }
  }
}

TEST(DocumentSearch, TheJointBlockRunsItsTwoPairs) {
  for (const AutoSearchConfig& config : forms_of("Joint")) {
    const Ran ran = run(config);
    ASSERT_EQ(ran.study.trials.size(), 2U);
    EXPECT_EQ(ran.study.trials[1].point.at(kTune + "NumIterLR"), Value(Value::List{200, 1e-5}));
  }
}

TEST(DocumentSearch, TwoStagesWithoutFineTuningAreAPlainSearchWithAWarning) {
  for (AutoSearchConfig config : forms_of("TwoStage")) {
    config.strategy.stop.iteration_limit = 2;
    const Ran ran = run(config);
    EXPECT_EQ(ran.study.trials.size(), 2U);
    EXPECT_EQ(std::ranges::count(ran.warnings,
                                 "two_stage_search has no effect: nothing switches fine-tuning on "
                                 "(include_fast_ft: true in "
                                 "quantization_config, or [true] in search_space)"),
              1);
  }
}

TEST(DocumentSearch, TheExampleRunsItsCheapestTrialsFirst) {
  for (AutoSearchConfig config : forms_of("Example")) {
    config.strategy.stop.iteration_limit = 3;
    const Ran ran = run(config);
    ASSERT_EQ(ran.study.trials.size(), 3U);
    for (const Trial& trial : ran.study.trials)
      EXPECT_EQ(trial.state, TrialState::complete) << trial.reason;
  }
}

}  // namespace
}  // namespace quantsearch
