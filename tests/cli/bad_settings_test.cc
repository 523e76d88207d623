// What a user gets for settings and folders that cannot be used. The test that runs for each of
// them is in bad_input_test.cc.

#include <gtest/gtest.h>

#include <filesystem>

#include "cli/bad_input.h"
#include "quantsearch/internal/base/files.h"

namespace quantsearch {
namespace {

namespace fs = std::filesystem;
using testing::BadInput;
using testing::BadInputOfSearch;
using testing::name_of;

void write_config(const std::string& yaml) { write_file_atomically("config.yaml", yaml); }

const std::vector<std::string> kWithConfig = {"--config", "config.yaml"};

INSTANTIATE_TEST_SUITE_P(
    Configuration, BadInputOfSearch,
    ::testing::Values(
        BadInput{"Missing", [] {},
                 "configuration: file 'config.yaml' does not exist, expected a YAML or JSON file",
                 kWithConfig},
        BadInput{"NotYaml", [] { write_config("search_space: [unclosed"); },
                 "configuration 'config.yaml' is not valid YAML: line 1, column 1: end of sequence "
                 "flow not found",
                 kWithConfig},
        BadInput{"UnknownKey", [] { write_config("search_metrik: L2"); },
                 "configuration: unknown key 'search_metrik'; nearest known: 'search_metric'",
                 kWithConfig},
        BadInput{"UnknownOption", [] { write_config("search_space: {activation_typ: [QInt8]}"); },
                 "configuration: unknown key 'activation_typ'; nearest known: 'activation_type'",
                 kWithConfig},
        BadInput{"UnknownValue", [] { write_config("search_space: {activation_type: [QInt9]}"); },
                 "configuration: 'activation_type': unknown value 'QInt9'; nearest known: 'QInt8', "
                 "'QUInt8', 'QInt16'",
                 kWithConfig},
        BadInput{"UnknownMetric",
                 [] {},
                 "--metric: unknown metric 'L3'; nearest known: 'L1', 'L2', 'kl'",
                 {"--metric", "L3"}},
        BadInput{
            "EqualizationSteps",
            [] { write_config("search_space: {extra_options: {CLESteps: [1, 0]}}"); },
            "configuration: 'extra_options.CLESteps': got 0, expected an integer in [1, 10000], "
            "or -1 for as many as it takes",
            kWithConfig},
        BadInput{"SmoothAlpha",
                 [] { write_config("search_space: {extra_options: {SmoothAlpha: [0.5, 2]}}"); },
                 "configuration: 'extra_options.SmoothAlpha': got 2, expected a number in [0, 1] "
                 "or 'auto'",
                 kWithConfig},
        BadInput{"FineTuningElsewhere",
                 [] {
                   write_config(
                       "search_space: {extra_options: {FastFinetune: {OptimDevice: 'cuda:0'}}}");
                 },
                 "configuration: 'extra_options.FastFinetune.OptimDevice: \"cuda:0\"' is refused: "
                 "fine-tuning "
                 "runs on the CPU; leave it out or give \"cpu\"",
                 kWithConfig},
        BadInput{"MixedPrecisionWithoutALimit",
                 [] { write_config("search_space: {include_auto_mp: true}"); },
                 "search: none of the 1 points of the space is valid: include_auto_mp needs a "
                 "limit: L2Target, Top1AccTarget, Top1RareTarget, MetricThreshold, NumTarget, "
                 "MaxShare or MaxBytes of AutoMixprecision (1 points); widen the space or change "
                 "the base configuration",
                 kWithConfig},
        BadInput{"ContinuousGrid",
                 [] {
                   write_config(
                       "search_space: {include_fast_ft: [true], extra_options: {FastFinetune: "
                       "{LearningRate: "
                       "{type: float, low: 0.01, high: 0.1, log: true}}}}");
                 },
                 "search: a grid cannot walk the real numbers of "
                 "'extra_options.FastFinetune.LearningRate'; give a step, list the "
                 "values, or use random or model-based search",
                 kWithConfig},
        BadInput{"UnknownAlgorithmOnTheCommandLine",
                 [] {},
                 "--algorithm: unknown search algorithm 'NSGA'; nearest known: 'NSGAII'",
                 {"--algorithm", "NSGA"}},
        BadInput{
            "AdvancedSearchOfSeveralSpaces",
            [] {
              write_config(
                  "advanced_fastft_search: true\nsearch_space: [{include_fast_ft: true}, "
                  "{per_channel: true}]");
            },
            "search: advanced_fastft_search takes one search space, got 2; leave out the others",
            kWithConfig},
        BadInput{"AdvancedSearchWithTheJointParameter",
                 [] {
                   write_config(
                       "advanced_fastft_search: true\nsearch_space: {include_fast_ft: true, "
                       "extra_options: {FastFinetune: "
                       "{NumIterLR: [[100, 0.1], [200, 0.01]]}}}");
                 },
                 "search: advanced_fastft_search varies NumIterations and LearningRate by "
                 "themselves; leave out the joint NumIterLR",
                 kWithConfig},
        BadInput{"AdvancedSearchOfAnotherParameter",
                 [] {
                   write_config(
                       "advanced_fastft_search: true\nsearch_space: {include_fast_ft: true, "
                       "extra_options: {FastFinetune: "
                       "{NumIterations: [10, 20], DataSize: [10, 20]}}}");
                 },
                 "search: advanced_fastft_search varies NumIterations and LearningRate only, got "
                 "several values of "
                 "'extra_options.FastFinetune.DataSize'; give one",
                 kWithConfig},
        BadInput{"AdvancedSearchWithoutFinetuning",
                 [] {
                   write_config(
                       "advanced_fastft_search: true\nsearch_space: {per_channel: [true, false]}");
                 },
                 "search: advanced_fastft_search needs a space with 'include_fast_ft: [true]', or "
                 "'include_fast_ft: true' in "
                 "quantization_config",
                 kWithConfig},
        BadInput{"AdvancedSearchAgainstTheMetric",
                 [] {
                   write_config(
                       "advanced_fastft_search: true\nadvanced_fastft_params: {direction: "
                       "minimize}\nsearch_metric: cos\n"
                       "search_space: {include_fast_ft: true, extra_options: {FastFinetune: "
                       "{NumIterations: [10, 20]}}}");
                 },
                 "search: advanced_fastft_params asks to minimize 'cos', of which more is better; "
                 "leave out 'direction'",
                 kWithConfig},
        BadInput{"NoValidPoint",
                 [] {
                   write_config(
                       "search_space: {calibrate_method: [NonOverflow, PowerOfTwoMethod.MinMSE], "
                       "per_channel: [true]}");
                 },
                 "search: none of the 2 points of the space is valid: power-of-two methods need "
                 "per-tensor weights (per_channel: false) (2 points); widen the space or change "
                 "the base configuration",
                 kWithConfig}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    Folders, BadInputOfSearch,
    ::testing::Values(
        BadInput{"OutputIsAFile", [] { write_file_atomically("out", "mine"); },
                 "search: output folder 'out' cannot be made: a file of that name exists; choose "
                 "another with --output"},
        BadInput{"OutputBelowAFile",
                 [] { write_file_atomically("notes", "mine"); },
                 "search: output folder 'notes/out' cannot be made: Not a directory; choose "
                 "another with --output",
                 {"--output", "notes/out"}},
        BadInput{"OutputOnAReadOnlySystem",
                 [] {},
                 "search: output folder '/proc/quantsearch' cannot be made: No such file or "
                 "directory; choose another with --output",
                 {"--output", "/proc/quantsearch"}},
        BadInput{"OutputHoldsASearch",
                 [] {
                   fs::create_directory("out");
                   write_file_atomically("out/results.json", "{}");
                 },
                 "search: output folder 'out' already holds a search; add --resume to continue it, "
                 "--overwrite to replace it, or choose another folder"},
        BadInput{"LogBelowAFile",
                 [] { write_file_atomically("notes", "mine"); },
                 "log: 'notes/log' cannot be opened for writing: Not a directory; choose another "
                 "file with --log",
                 {"--log", "notes/log"}},
        BadInput{"CacheFolderOfAnother",
                 [] {
                   fs::create_directory("cache");
                   write_file_atomically("cache/thesis.txt", "mine");
                   write_config("search_cache_dir: cache");
                 },
                 "data: the cache folder 'cache' is neither empty nor one of quantsearch (it "
                 "has no '.quantsearch_cache'); give an empty or a new one",
                 kWithConfig}),
    name_of);

}  // namespace
}  // namespace quantsearch
