#include <gtest/gtest.h>

#include <functional>

#include "autosearch/search_setting.h"
#include "quantsearch/autosearch.h"
#include "quantsearch/base/error.h"
#include "quantsearch/internal/base/files.h"
#include "support/messages.h"

namespace quantsearch {
namespace {

using testing::parse;

std::string message_of_file(const std::string& yaml) {
  try {
    (void)parse(yaml);
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST(ConfigFile, TheDocumentedExampleReducedToCalibrationIsRead) {
  const AutoSearchConfig config = parse(R"(
quantization_config:
  preset: S8S8_AAWS
  nodes_to_exclude: []
search_space:
  calibrate_method: [PowerOfTwoMethod.MinMSE, PowerOfTwoMethod.NonOverflow, CalibrationMethod.MinMax, CalibrationMethod.Entropy, CalibrationMethod.Percentile]
  activation_type: [QuantType.QInt8, QInt16]
  weight_type: [QInt8, QInt16]
  include_cle: [true, false]
  extra_options:
    ActivationSymmetric: [true, false]
    WeightSymmetric: [true, false]
    CalibMovingAverage: [true, false]
    CalibMovingAverageConstant: [0.01, 0.001]
    Percentile: [99.99, 99.999]
search_algo: grid_search
search_metric: L2
search_metric_tolerance: 0.1
search_evaluator: null
search_stop_condition: {find_n_candidates: -1, find_best_candidate: -1, iteration_limit: 1000, time_limit: 3600}
expected_time_per_config: null
trial_time_limit: -1
search_cache_dir: ""
search_output_dir: ""
search_log_path: auto_search.log
two_stage_search: false
advanced_fastft_search: false
advanced_fastft_params: {sampler_algo: TPE, direction: minimize, n_trials: 10}
n_jobs: 1
search_devices: cpu
seed: 0
)");
  ASSERT_TRUE(config.space.has_value());
  EXPECT_EQ(config.space->size(), 5 * 2 * 2 * 2 * 2 * 2 * 2 * 2 * 2);
  EXPECT_EQ(config.goals.tolerance, 0.1);
  EXPECT_EQ(config.strategy.stop.iteration_limit, 1000);
  EXPECT_EQ(config.strategy.stop.time_limit_seconds, 3600);
  EXPECT_EQ(config.strategy.stop.find_n_candidates, std::nullopt);
  EXPECT_EQ(config.strategy.stop.trial_time_limit_seconds, std::nullopt);
}

TEST(ConfigFile, FixedInputsAreReadAsWritten) {
  const FixedInputs fixed = parse("fixed_inputs: {sr: 16000, flags: [true, false]}").fixed_inputs;
  EXPECT_EQ(fixed, (FixedInputs{{"sr", 16000}, {"flags", Value::List{true, false}}}));
  EXPECT_TRUE(parse("fixed_inputs: {}").fixed_inputs.empty());
}

TEST(ConfigFile, ASingleValueMeansAListOfOne) {
  EXPECT_EQ(parse("search_space: {calibrate_method: MinMax, activation_type: [QInt8, QUInt8]}")
                .space->size(),
            2);
}

TEST(ConfigFile, TwoSpellingsOfOneValueAreOneChoice) {
  EXPECT_EQ(
      parse("search_space: {calibrate_method: [MinMax, CalibrationMethod.MinMax]}").space->size(),
      1);
}

TEST(ConfigFile, RangesAreListedValueByValue) {
  const Space space = *parse(
                           "search_space: {extra_options: {Percentile: {type: float, low: 99.7, "
                           "high: 99.9, step: 0.1}}}")
                           .space;
  ASSERT_EQ(space.size(), 3);
  EXPECT_NEAR(space.at(2).at("extra_options.Percentile").as_double(), 99.9, 1e-9);
}

TEST(ConfigFile, SeveralSpacesAreJoined) {
  EXPECT_EQ(
      parse("search_space: [{activation_type: [QInt8, QUInt8]}, {per_channel: [true, false]}]")
          .space->size(),
      4);
  EXPECT_EQ(parse("{search_spaces: [b], search_space_a: {per_channel: [true]}, search_space_b: "
                  "{activation_type: [QInt8, QUInt8]}}")
                .space->size(),
            2);
}

TEST(ConfigFile, AListOptionNeedsAListOfLists) {
  EXPECT_EQ(parse("search_space: {nodes_to_exclude: [[], [conv1]]}").space->size(), 2);
  EXPECT_EQ(message_of_file("search_space: {nodes_to_exclude: [conv1]}"),
            "configuration: 'search_space.nodes_to_exclude': got a list, expected a list of lists: "
            "each choice of this option is a list itself");
}

struct Refused {
  std::string name;
  const char* yaml;
  const char* message;
};

void PrintTo(const Refused& refused, std::ostream* stream) { *stream << refused.yaml; }

class BadConfigFile : public ::testing::TestWithParam<Refused> {};

TEST_P(BadConfigFile, IsRefusedWithTheReason) {
  EXPECT_EQ(message_of_file(GetParam().yaml), GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    EachKind, BadConfigFile,
    ::testing::Values(
        Refused{"UnknownKey", "search_metrik: L2",
                "configuration: unknown key 'search_metrik'; nearest known: 'search_metric'"},
        Refused{
            "Algorithm", "search_algo: TEP",
            "configuration: 'search_algo': unknown search algorithm 'TEP'; nearest known: 'TPE'"},
        Refused{"FixedInputs", "fixed_inputs: [sr, 16000]",
                "configuration: 'fixed_inputs': got list, expected a mapping"},
        Refused{"Jobs", "n_jobs: 0",
                "configuration: 'n_jobs': got 0, expected from 1 to 1024 trials at the same time"},
        Refused{
            "AdvancedTrials", "advanced_fastft_params: {n_trials: -1}",
            "configuration: 'advanced_fastft_params': 'n_trials' must be an integer of at least 1"},
        Refused{"AdvancedName", "advanced_fastft_params: {sampler: TPE}",
                "configuration: 'advanced_fastft_params': unknown parameter 'sampler'; nearest "
                "known: 'sampler_algo'"},
        Refused{"Device", "search_devices: gpu",
                "configuration: 'search_devices': got the devices 'gpu', expected cpu, "
                "cuda:0,1 (the numbers of the cards) or openvino:CPU (or GPU, NPU, "
                "GPU.1)"},
        Refused{
            "NegativeTolerance", "search_metric_tolerance: -1",
            "configuration: 'search_metric_tolerance': got -1, expected a number of at least 0"},
        Refused{"StopConditionRange", "search_stop_condition: {find_n_candidates: 0}",
                "configuration: 'search_stop_condition.find_n_candidates': got 0, expected an "
                "integer of at least 1, "
                "or -1 for no limit"},
        Refused{"StopConditionName", "search_stop_condition: {time_limits: 5}",
                "configuration: 'search_stop_condition': unknown stop condition 'time_limits'; "
                "nearest known: 'time_limit'"},
        Refused{"SmoothAlpha", "search_space: {extra_options: {SmoothAlpha: [0.5, middle]}}",
                "configuration: 'extra_options.SmoothAlpha': got 'middle', expected a number in "
                "[0, 1] or "
                "'auto'"},
        Refused{"Finetune",
                "search_space: {extra_options: {FastFinetune: {NumIterLR: [[100]]}}, "
                "include_fast_ft: true}",
                "configuration: 'extra_options.FastFinetune.NumIterLR': got [100], expected a list "
                "of two numbers"},
        Refused{"EmptyChoices", "search_space: {activation_type: []}",
                "configuration: 'search_space.activation_type': got an empty list, expected at "
                "least one choice"},
        Refused{"EmptySpace", "search_space: {}",
                "configuration: 'search_space' has no keys, expected at least one option with its "
                "choices"},
        Refused{"UnknownOption", "search_space: {activationtype: [QInt8]}",
                "configuration: unknown key 'activationtype'; nearest known: 'activation_type'"},
        Refused{"UnknownSpaceName", "{search_spaces: [c], search_space_a: {per_channel: true}}",
                "configuration: 'search_spaces': unknown search space 'c'; nearest known: 'a'"},
        Refused{"UnusedSpace", "search_space_a: {per_channel: true}",
                "configuration: 'search_space_a' is not used; name it in 'search_spaces'"},
        Refused{
            "RangeEnd",
            "search_space: {extra_options: {Percentile: {type: float, low: 99, high: 101}}}",
            "configuration: 'extra_options.Percentile': got 101, expected a number in (0, 100]"},
        Refused{"LogarithmOfZero",
                "search_space: {extra_options: {FastFinetune: {LearningRate: {type: float, low: 0, "
                "high: 1, log: true}}}}",
                "configuration: 'search_space.extra_options.FastFinetune.LearningRate': a "
                "logarithmic range begins at 0, expected above 0"},
        Refused{"LogarithmWithStep",
                "search_space: {extra_options: {FastFinetune: {NumIterations: {type: int, low: 1, "
                "high: 9, step: 2, log: true}}}}",
                "configuration: 'search_space.extra_options.FastFinetune.NumIterations': got a "
                "'step' with a logarithmic range; leave one of "
                "them out"},
        Refused{"EvaluatorWithoutModel", "search_evaluator: {command: [python3, score.py]}",
                "configuration: 'search_evaluator': got the command [\"python3\",\"score.py\"], "
                "expected '{model}' in one of its arguments"},
        Refused{"ObjectiveTwice", "search_metric: [L2, size, size_bytes]",
                "configuration: 'search_metric': names 'size_bytes' twice"},
        Refused{
            "Limit", "search_limits: {bytes: 5}",
            "configuration: 'search_limits': unknown limit 'bytes'; nearest known: 'size_bytes'"},
        Refused{"NegativeLimit", "search_limits: {size_bytes: -5}",
                "configuration: 'search_limits': 'size_bytes': got -5, expected a number of at "
                "least 0, or -1 for no limit"},
        Refused{"RaceError", "search_racing: 0.7",
                "configuration: 'search_racing': got 0.7, expected true, false, or an error rate "
                "above 0 and below 0.5"},
        Refused{"Storage", "study_storage: mysql://host/db",
                "configuration: 'study_storage': got the study storage 'mysql://host/db', expected "
                "postgresql://user@host/database, or none "
                "for study.db in the output folder"},
        Refused{"NotAMapping", "[1, 2]", "configuration: got a list, expected a mapping of keys"}),
    [](const auto& info) { return info.param.name; });

TEST(CommandLineValues, ReplaceThoseOfTheFile) {
  const Value file = parse_yaml(
      "search_stop_condition: {time_limit: 5, iteration_limit: 7}\nfixed_inputs: {a: 1, b: 2}\n",
      "test");
  const AutoSearchConfig config = parse_search_config(
      file, {{.key = "search_stop_condition.time_limit", .value = 9, .flag = "--time-limit"},
             {.key = "fixed_inputs", .value = Value::Map{{"b", 3}}, .flag = "--fix"}});
  EXPECT_EQ(config.strategy.stop.time_limit_seconds, 9);
  EXPECT_EQ(config.strategy.stop.iteration_limit, 7);
  EXPECT_EQ(config.fixed_inputs, (FixedInputs{{"a", 1}, {"b", 3}}));
}

TEST(CommandLineValues, AreNamedByTheirOptionInMessages) {
  EXPECT_EQ(message_of<InvalidInput>([] {
              (void)parse_search_config(
                  Value(Value::Map{}),
                  {{.key = "search_metric_tolerance", .value = -1, .flag = "--tolerance"}});
            }),
            "--tolerance: got -1, expected a number of at least 0");
}

TEST(SearchKeys, HaveUniqueNamesAndFlags) {
  std::set<std::string> names;
  std::set<std::string> flags;
  for (const SearchKey& key : search_keys()) {
    EXPECT_TRUE(names.insert(key.name).second) << key.name;
    EXPECT_TRUE(key.flag.empty() || flags.insert(key.flag).second) << key.flag;
  }
}

}  // namespace
}  // namespace quantsearch
