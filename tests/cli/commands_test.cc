// The commands as a user calls them, on the shipped model with its real images.

#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <set>
#include <thread>

#include "cli/run_command.h"
#include "quantsearch/base/processor.h"
#include "quantsearch/base/value.h"
#include "quantsearch/internal/base/files.h"
#include "quantsearch/version.h"

namespace quantsearch {
namespace {

namespace fs = std::filesystem;
using testing::run_quantsearch;
using testing::RunResult;

const std::string kExample = std::string(QUANTSEARCH_SOURCE_DIR) + "/examples/fashion_mnist";
const std::string kModel = std::string(QUANTSEARCH_SOURCE_DIR) + "/tests/data/resnet8.onnx";
const std::string kCalibration = kExample + "/calibration_100.npz";
const std::string kEvaluation = kExample + "/evaluation_2000.npz";

/// A search whose result does not depend on measured times.
std::vector<std::string> search_arguments() {
  return {"search",   kModel,         "--calibration", kCalibration,         "--limit",
          "20",       "--evaluation", kEvaluation,     "--evaluation-limit", "50",
          "--output", "out",          "--no-latency"};
}

RunResult search_in(const fs::path& folder, std::vector<std::string> more) {
  std::vector<std::string> arguments = search_arguments();
  arguments.insert(arguments.end(), more.begin(), more.end());
  return run_quantsearch(arguments, folder);
}

Value results_in(const fs::path& folder) {
  return load_config_file(folder / "out" / "results.json");
}

TEST(Commands, SearchWorksWithoutAConfiguration) {
  const TemporaryFolder folder;
  const RunResult result = search_in(folder.path(), {});
  EXPECT_EQ(result.exit_code, 0) << result.error;
  for (const char* name :
       {"out/best.onnx", "out/best_config.yaml", "out/results.json", "auto_search.log"}) {
    EXPECT_TRUE(fs::exists(folder.path() / name)) << name;
  }
  EXPECT_NE(result.out.find("best (trial "), std::string::npos);
  EXPECT_NE(result.out.find("written to out\n"), std::string::npos);
}

TEST(Commands, ATimeLimitBelowTheFloatModelGivesItsFiguresAndTheFirstModel) {
  const TemporaryFolder folder;
  const RunResult result = search_in(folder.path(), {"--time-limit", "0.001"});
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_NE(result.error.find("the time limit is 0.001 s: one trial runs"), std::string::npos)
      << result.error;
  const Value results = results_in(folder.path());
  EXPECT_TRUE(results.find("float")->find("scores")->find("top1") != nullptr);
  EXPECT_EQ(results.find("trials")->as_list().size(), 1U);
  EXPECT_TRUE(results.find("trials")->as_list().front().find("candidate")->as_bool());
  EXPECT_TRUE(fs::exists(folder.path() / "out" / "best.onnx"));
}

TEST(Commands, EvaluateAgreesWithTheResultsOfTheSearch) {
  const TemporaryFolder folder;
  ASSERT_EQ(search_in(folder.path(), {"--iteration-limit", "2"}).exit_code, 0);
  const RunResult result = run_quantsearch(
      {"evaluate", kModel, "out/best.onnx", "--data", kEvaluation, "--limit", "50", "--json"},
      folder.path());
  ASSERT_EQ(result.exit_code, 0) << result.error;
  const Value evaluated = parse_json(result.out, "evaluate");
  const Value results = results_in(folder.path());
  const Value& best =
      results.find("trials")->as_list()[static_cast<std::size_t>(results.find("best")->as_int())];
  for (const auto& [name, value] : best.find("scores")->as_map()) {
    EXPECT_DOUBLE_EQ(evaluated.find("quantized")->find("scores")->find(name)->as_double(),
                     value.as_double())
        << name;
  }
}

// The labels beside the images in the file are those of the option, so both searches judge alike.
TEST(Commands, LabelsOfAllSamplesAreCutToTheLimit) {
  const TemporaryFolder without;
  ASSERT_EQ(search_in(without.path(), {"--iteration-limit", "1"}).exit_code, 0);
  const TemporaryFolder with;
  const RunResult result =
      search_in(with.path(), {"--iteration-limit", "1", "--labels", kEvaluation});
  ASSERT_EQ(result.exit_code, 0) << result.error;
  const auto scores_in = [](const fs::path& folder) {
    const Value results = results_in(folder);
    return *results.find("trials")->as_list().front().find("scores");
  };
  EXPECT_NE(scores_in(with.path()).find("top1"), nullptr);
  EXPECT_EQ(scores_in(with.path()), scores_in(without.path()));
}

struct StagedExample {
  std::string name;
  std::size_t trials;
  std::size_t tuned;
  std::size_t tuned_calibrations;
};

/// The calibration settings of a trial in results.json, as text.
std::string calibration_of(const Value& config) {
  std::string text;
  for (const char* name : {"activation_type", "calibrate_method", "per_channel"}) {
    const Value* value = config.find(name);
    text += value == nullptr ? "absent;" : to_json(*value) + ";";
  }
  return text;
}

// Two types, two methods and two granularities are 8 calibrations; a stage tunes one of them, a
// joint grid all of its 4.
TEST(Commands, TheStagedExamplesTuneWhatTheySay) {
  for (const StagedExample& example :
       {StagedExample{"two_stage", 8 + 4, 4, 1}, StagedExample{"advanced_fastft", 8 + 6, 6, 1},
        StagedExample{"joint_finetune", 4 * 2, 8, 4}}) {
    const TemporaryFolder folder;
    const std::string config =
        std::string(QUANTSEARCH_SOURCE_DIR) + "/examples/" + example.name + ".yaml";
    const RunResult result = run_quantsearch(
        {"search", kModel, "--calibration", kCalibration, "--limit", "32", "--evaluation",
         kEvaluation, "--evaluation-limit", "50", "--config", config, "--output", "out"},
        folder.path());
    ASSERT_EQ(result.exit_code, 0) << example.name << result.error;
    const Value results = results_in(folder.path());
    EXPECT_EQ(results.find("trials")->as_list().size(), example.trials) << example.name;
    std::size_t tuned = 0;
    std::set<std::string> calibrations;
    for (const Value& trial : results.find("trials")->as_list()) {
      const Value* fast = trial.find("config")->find("include_fast_ft");
      if (fast == nullptr || !fast->as_bool()) continue;
      ++tuned;
      calibrations.insert(calibration_of(*trial.find("config")));
    }
    EXPECT_EQ(tuned, example.tuned) << example.name;
    EXPECT_EQ(calibrations.size(), example.tuned_calibrations) << example.name;
  }
}

TEST(Commands, QuantizeMakesTheBestModelAgain) {
  const TemporaryFolder folder;
  ASSERT_EQ(search_in(folder.path(), {"--iteration-limit", "3"}).exit_code, 0);
  const RunResult result =
      run_quantsearch({"quantize", kModel, "--calibration", kCalibration, "--limit", "20",
                       "--config", "out/best_config.yaml", "--output", "again.onnx"},
                      folder.path());
  EXPECT_EQ(result.exit_code, 0) << result.error;
  EXPECT_EQ(read_file(folder.path() / "again.onnx"),
            read_file(folder.path() / "out" / "best.onnx"));
}

// Without a home folder the runtime's telemetry would leave a file in the current one.
TEST(Commands, WithoutAHomeNothingIsWrittenButTheModel) {
  const TemporaryFolder folder;
  const RunResult result = run_quantsearch(
      {"quantize", kModel, "--calibration", kCalibration, "--limit", "2", "--output", "int8.onnx"},
      folder.path(), {.home = "/dev/null"});
  EXPECT_EQ(result.exit_code, 0) << result.error;
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(folder.path()))
    files.push_back(entry.path().filename().string());
  EXPECT_EQ(files, std::vector<std::string>{"int8.onnx"});
}

TEST(Commands, NothingIsWrittenIntoTheUsersHome) {
  const TemporaryFolder home;
  const TemporaryFolder folder;
  const RunResult result = run_quantsearch(
      {"quantize", kModel, "--calibration", kCalibration, "--limit", "2", "--output", "out.onnx"},
      folder.path().string(), {.home = home.path().string()});
  ASSERT_EQ(result.exit_code, 0) << result.error;
  EXPECT_TRUE(fs::is_empty(home.path()));
}

// The evaluator's model files and the float outputs, too many for the memory, go there.
TEST(Commands, TheTemporaryFolderIsLeftAsItWas) {
  const TemporaryFolder folder;
  const TemporaryFolder temporary;
  write_file_atomically(temporary.path() / "mine.txt", "mine");
  write_file_atomically(folder.path() / "config.yaml", R"(
search_space: {weight_type: [QInt8, QInt16]}
search_evaluator: {command: [sh, -c, "ls \"$0\" >> models.txt; echo 1", "{model}"], direction: minimize}
)");
  const RunResult result = run_quantsearch(
      {"search", kModel, "--calibration", kCalibration, "--limit", "20", "--evaluation",
       kEvaluation, "--evaluation-limit", "50", "--memory", "1K", "--config", "config.yaml"},
      folder.path(), {.temporary = temporary.path().string()});
  ASSERT_EQ(result.exit_code, 0) << result.error;
  EXPECT_TRUE(read_file(folder.path() / "models.txt").starts_with(temporary.path().string()));
  std::vector<fs::path> left;
  for (const auto& entry : fs::directory_iterator(temporary.path())) left.push_back(entry.path());
  EXPECT_EQ(left, std::vector<fs::path>{temporary.path() / "mine.txt"});
  EXPECT_EQ(read_file(temporary.path() / "mine.txt"), "mine");
}

TEST(Commands, JsonOnStdoutIsJsonAlone) {
  const TemporaryFolder folder;
  const RunResult result = search_in(folder.path(), {"--iteration-limit", "1", "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.error;
  EXPECT_EQ(parse_json(result.out, "stdout").find("schema")->as_int(), 1);
}

TEST(Commands, NothingWithinTheToleranceExitsWithThree) {
  const TemporaryFolder folder;
  const RunResult result =
      search_in(folder.path(), {"--iteration-limit", "1", "--metric", "L2", "--tolerance", "0"});
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_TRUE(fs::exists(folder.path() / "out" / "best.onnx"));
}

TEST(Commands, AnInterruptDeliversTheBestSoFar) {
  const TemporaryFolder folder;
  write_file_atomically(folder.path() / "config.yaml", R"(
search_space:
  calibrate_method: [MinMax, Percentile, Entropy, CalibrationMethod.MinMSE]
  activation_type: [QUInt8, QInt8, QInt16, QUInt16]
  weight_type: [QInt8, QInt16]
  extra_options:
    Percentile: {type: float, low: 99.0, high: 99.99, step: 0.01}
)");
  const int process =
      testing::start_quantsearch({"search", kModel, "--calibration", kCalibration, "--evaluation",
                                  kEvaluation, "--config", "config.yaml", "--output", "out"},
                                 folder.path());
  // Wait for the first result, not for a time.
  while (!fs::exists(folder.path() / "out" / "best.onnx")) std::this_thread::yield();
  kill(process, SIGINT);
  EXPECT_EQ(testing::wait_for(process), 130);
  EXPECT_TRUE(fs::exists(folder.path() / "out" / "results.json"));
  EXPECT_EQ(results_in(folder.path()).find("stop_reason")->as_string(), "cancelled");
}

TEST(Commands, TheFastestNeedsLatencies) {
  const TemporaryFolder folder;
  const RunResult result = search_in(folder.path(), {"--goal", "fastest"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_EQ(result.error,
            "quantsearch: search: search_goal fastest needs latencies, and search_latency: false "
            "(--no-latency) forbids to measure them; leave out one of the two\n");
}

TEST(Commands, AKilledSearchResumes) {
  const TemporaryFolder folder;
  const int process = testing::start_quantsearch(search_arguments(), folder.path());
  while (!fs::exists(folder.path() / "out" / "best.onnx")) std::this_thread::yield();
  kill(process, SIGKILL);
  EXPECT_EQ(testing::wait_for(process), 128 + SIGKILL);
  const RunResult resumed = search_in(folder.path(), {"--resume"});
  EXPECT_EQ(resumed.exit_code, 0) << resumed.error;
  const TemporaryFolder undisturbed;
  ASSERT_EQ(search_in(undisturbed.path(), {}).exit_code, 0);
  EXPECT_EQ(results_in(folder.path()).find("best")->as_int(),
            results_in(undisturbed.path()).find("best")->as_int());
  EXPECT_EQ(read_file(folder.path() / "out" / "best.onnx"),
            read_file(undisturbed.path() / "out" / "best.onnx"));
}

TEST(Commands, ACommandJudgesTheModels) {
  const TemporaryFolder folder;
  write_file_atomically(folder.path() / "config.yaml", R"(
search_space: {weight_type: [QInt8, QInt16]}
search_evaluator: {command: [sh, -c, "stat -c %s \"$0\"", "{model}"], direction: minimize}
search_metric_tolerance: 1000000000
)");
  const RunResult result = search_in(folder.path(), {"--config", "config.yaml"});
  ASSERT_EQ(result.exit_code, 0) << result.error;
  const Value results = results_in(folder.path());
  const Value& best =
      results.find("trials")->as_list()[static_cast<std::size_t>(results.find("best")->as_int())];
  EXPECT_EQ(best.find("config")->find("weight_type")->as_string(), "QInt8");
  EXPECT_EQ(best.find("scores")->find("custom")->as_double(),
            static_cast<double>(fs::file_size(folder.path() / "out" / "best.onnx")));
}

TEST(Commands, ReportShowsWhatWasFound) {
  const TemporaryFolder folder;
  ASSERT_EQ(search_in(folder.path(), {"--iteration-limit", "2"}).exit_code, 0);
  const RunResult text = run_quantsearch({"report", "out"}, folder.path());
  EXPECT_EQ(text.exit_code, 0);
  EXPECT_NE(text.out.find("(best)"), std::string::npos);
  EXPECT_EQ(run_quantsearch({"report", "out", "--json"}, folder.path()).out,
            read_file(folder.path() / "out" / "results.json"));
}

TEST(Commands, SpaceCountsWithoutData) {
  const TemporaryFolder folder;
  write_file_atomically(folder.path() / "config.yaml",
                        "search_space: {calibrate_method: [MinMax, MinMSE], per_channel: [true, "
                        "false], extra_options: {Percentile: [99, 99.9]}}");
  const RunResult result =
      run_quantsearch({"space", kModel, "--config", "config.yaml", "--list"}, folder.path());
  EXPECT_EQ(result.exit_code, 0) << result.error;
  EXPECT_TRUE(result.out.starts_with(
      "8 points, 3 distinct configurations\n"
      "  2 left out: power-of-two methods need per-tensor weights (per_channel: false)\n"))
      << result.out;
}

TEST(Commands, SpaceShowsTheStagesAndWarns) {
  const TemporaryFolder folder;
  const std::string space =
      "search_space: {calibrate_method: [MinMax, Entropy], extra_options: {FastFinetune: "
      "{NumIterations: [10, 20, 30]}}}\n";
  write_file_atomically(
      folder.path() / "config.yaml",
      "quantization_config: {include_fast_ft: true}\nexpected_time_per_config: 1\n"
      "two_stage_search: true\n" +
          space);
  const RunResult staged =
      run_quantsearch({"space", kModel, "--config", "config.yaml"}, folder.path());
  EXPECT_EQ(staged.exit_code, 0) << staged.error;
  EXPECT_EQ(staged.error, "");
  EXPECT_TRUE(staged.out.starts_with(
      "6 points, 6 distinct configurations\nstage 1: calibration: 2 trials, "))
      << staged.out;
  EXPECT_NE(staged.out.find("\nstage 2: fine-tuning of the best calibration: 3 trials, "),
            std::string::npos)
      << staged.out;
  const RunResult json =
      run_quantsearch({"space", kModel, "--config", "config.yaml", "--json"}, folder.path());
  EXPECT_EQ(parse_json(json.out, "space").find("stages")->as_list().size(), 2U);

  write_file_atomically(folder.path() / "config.yaml", "two_stage_search: true\n" + space);
  const RunResult plain =
      run_quantsearch({"space", kModel, "--config", "config.yaml"}, folder.path());
  EXPECT_EQ(plain.out.find("stage "), std::string::npos) << plain.out;
  EXPECT_EQ(plain.error,
            "warning: two_stage_search has no effect: nothing switches fine-tuning on "
            "(include_fast_ft: true in quantization_config, or "
            "[true] in search_space)\n");
}

TEST(Commands, ResumingWhatIsNotThereSaysSoAndBegins) {
  const TemporaryFolder folder;
  const RunResult first = search_in(folder.path(), {"--iteration-limit", "1", "--resume"});
  EXPECT_EQ(first.exit_code, 0) << first.error;
  EXPECT_EQ(first.error,
            "warning: there is nothing to resume in 'out': no trial of an earlier search is there, "
            "so this one begins with its first trial\n");
  const RunResult second = search_in(folder.path(), {"--iteration-limit", "1", "--resume"});
  EXPECT_EQ(second.exit_code, 0);
  EXPECT_EQ(second.error, "");
}

TEST(Commands, APresetWithoutASpaceGetsOneThatFitsIt) {
  const TemporaryFolder folder;
  write_file_atomically(folder.path() / "config.yaml", "quantization_config: {preset: XINT8}");
  const RunResult result = search_in(folder.path(), {"--config", "config.yaml"});
  EXPECT_EQ(result.exit_code, 0) << result.error;
  const Value results = results_in(folder.path());
  EXPECT_EQ(to_json(*results.find("space")->find("filtered")), "{}");
  EXPECT_EQ(results.find("for_npu")->as_bool(), true);
  for (const Value& trial : results.find("trials")->as_list()) {
    EXPECT_EQ(trial.find("state")->as_string(), "complete") << trial.find("reason")->as_string();
    EXPECT_TRUE(trial.find("config")
                    ->find("calibrate_method")
                    ->as_string()
                    .starts_with("PowerOfTwoMethod."));
  }
  EXPECT_EQ(result.out.find("QUInt8"), std::string::npos) << result.out;
  EXPECT_EQ(result.out.find("than float"), std::string::npos) << result.out;
}

TEST(Commands, InspectSaysWhatWouldBeQuantized) {
  const RunResult result = run_quantsearch({"inspect", kModel}, "/");
  EXPECT_EQ(result.exit_code, 0) << result.error;
  EXPECT_NE(result.out.find("input  input: float32 [N, 1, 28, 28]"), std::string::npos)
      << result.out;
  EXPECT_NE(result.out.find("Conv"), std::string::npos);
}

TEST(Commands, InspectNamesTheProcessor) {
  const std::string line = "\nprocessor: " + to_string(this_processor()) + "\n";
  const RunResult text = run_quantsearch({"inspect", kModel}, "/", {.columns = "1000"});
  EXPECT_NE(text.out.find(line), std::string::npos) << text.out;
  const RunResult json = run_quantsearch({"inspect", kModel, "--json"}, "/");
  EXPECT_EQ(processor_from(*parse_json(json.out, "inspect").find("processor")), this_processor());
}

TEST(Commands, PresetsAreListedAndShown) {
  const RunResult list = run_quantsearch({"presets"}, "/");
  EXPECT_NE(list.out.find("U8S8_CPU"), std::string::npos);
  EXPECT_NE(list.out.find("MATMUL_NBITS"), std::string::npos);
  const RunResult one = run_quantsearch({"presets", "S8S8_AAWS"}, "/");
  EXPECT_EQ(parse_yaml(one.out, "presets").find("activation_type")->as_string(), "QInt8");
}

TEST(Commands, EveryCommandHasHelp) {
  for (const char* command :
       {"search", "quantize", "evaluate", "inspect", "space", "report", "presets"}) {
    const RunResult result = run_quantsearch({command, "--help"}, "/");
    EXPECT_EQ(result.exit_code, 0) << command;
    EXPECT_NE(result.out.find("Usage"), std::string::npos) << command;
  }
}

TEST(Commands, VersionNamesTheRuntime) {
  const RunResult result = run_quantsearch({"--version"}, "/");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_TRUE(
      result.out.starts_with("quantsearch " + std::string(kVersion) + " with ONNX Runtime "))
      << result.out;
  EXPECT_EQ(kVersion, QUANTSEARCH_CMAKE_VERSION);
}

}  // namespace
}  // namespace quantsearch
