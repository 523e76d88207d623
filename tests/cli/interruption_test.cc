// A signal during a search, sent by the evaluator of its second trial, so that nothing depends on
// time.

#include <gtest/gtest.h>

#include <filesystem>

#include "cli/made_inputs.h"
#include "cli/run_command.h"
#include "quantsearch/base/value.h"
#include "quantsearch/internal/base/files.h"

namespace quantsearch {
namespace {

namespace fs = std::filesystem;
using testing::run_quantsearch;
using testing::RunResult;

// The command judges the float model, then trial 0, then trial 1: there it sends the signal and
// waits to be killed.
constexpr const char* kScript = R"(
runs=$(cat runs 2> /dev/null || echo 0)
echo $((runs + 1)) > runs
if [ "$runs" = 2 ]; then
  kill -"$1" $PPID
  exec tail -f /dev/null
fi
echo "$runs"
)";

struct Signal {
  std::string name;
  int exit_code;
};

void PrintTo(const Signal& signal, std::ostream* stream) { *stream << signal.name; }

class SignalDuringASearch : public ::testing::TestWithParam<Signal> {};

TEST_P(SignalDuringASearch, DeliversTheBestSoFar) {
  const TemporaryFolder folder;
  testing::write_model(folder.path() / "model.onnx", testing::small_model());
  testing::write_arrays(folder.path() / "data.npz",
                        {{"x", Tensor::of<float>({6, 4}, testing::sample_values())}});
  write_file_atomically(folder.path() / "judge.sh", kScript);
  write_file_atomically(folder.path() / "config.yaml",
                        "search_space: {activation_type: [QUInt8, QInt8, QInt16, QUInt16]}\n"
                        "search_metric_tolerance: 1000\n"
                        "search_evaluator: {command: [sh, judge.sh, " +
                            GetParam().name + ", '{model}'], direction: minimize}\n");
  const RunResult result =
      run_quantsearch({"search", "model.onnx", "--calibration", "data.npz", "--evaluation",
                       "data.npz", "--config", "config.yaml", "--output", "out"},
                      folder.path());
  EXPECT_EQ(result.exit_code, GetParam().exit_code) << result.error;
  EXPECT_EQ(result.error, "");
  const fs::path out = folder.path() / "out";
  const Value results = load_config_file(out / "results.json");
  ASSERT_EQ(results.find("trials")->as_list().size(), 2U);
  EXPECT_EQ(results.find("trials")->as_list()[0].find("state")->as_string(), "complete");
  EXPECT_EQ(results.find("trials")->as_list()[1].find("state")->as_string(), "interrupted");
  EXPECT_EQ(results.find("best")->as_int(), 0);
  EXPECT_EQ(results.find("stop_reason")->as_string(), "cancelled");
  EXPECT_EQ(read_file(out / "best.onnx"), read_file(out / "candidates" / "0000.onnx"));
  EXPECT_TRUE(fs::exists(out / "best_config.yaml"));
}

// The second signal comes while the search still ends: whether it does or not, what was found is
// there.
TEST(SecondSignal, StillLeavesTheResults) {
  const TemporaryFolder folder;
  testing::write_model(folder.path() / "model.onnx", testing::small_model());
  testing::write_arrays(folder.path() / "data.npz",
                        {{"x", Tensor::of<float>({6, 4}, testing::sample_values())}});
  write_file_atomically(folder.path() / "judge.sh", R"(
runs=$(cat runs 2> /dev/null || echo 0)
echo $((runs + 1)) > runs
if [ "$runs" = 2 ]; then
  kill -INT $PPID
  sh -c true
  kill -INT $PPID
  exec tail -f /dev/null
fi
echo "$runs"
)");
  write_file_atomically(
      folder.path() / "config.yaml",
      "search_space: {activation_type: [QUInt8, QInt8, QInt16, QUInt16]}\nsearch_metric_tolerance: "
      "1000\n"
      "search_evaluator: {command: [sh, judge.sh, '{model}'], direction: minimize}\n");
  const RunResult result = run_quantsearch({"search", "model.onnx", "--calibration", "data.npz",
                                            "--config", "config.yaml", "--output", "out"},
                                           folder.path());
  EXPECT_EQ(result.exit_code, 130) << result.error;
  const Value results = load_config_file(folder.path() / "out" / "results.json");
  ASSERT_GE(results.find("trials")->as_list().size(), 1U);
  EXPECT_EQ(results.find("trials")->as_list()[0].find("state")->as_string(), "complete");
  EXPECT_EQ(results.find("best")->as_int(), 0);
  EXPECT_EQ(results.find("stop_reason")->as_string(), "cancelled");
}

/// A search whose evaluator runs `command` in its second trial.
RunResult search_disturbed_by(const TemporaryFolder& folder, const std::string& command) {
  testing::write_model(folder.path() / "model.onnx", testing::small_model());
  testing::write_arrays(folder.path() / "data.npz",
                        {{"x", Tensor::of<float>({6, 4}, testing::sample_values())}});
  write_file_atomically(folder.path() / "judge.sh",
                        "runs=$(cat runs 2> /dev/null || echo 0)\necho $((runs + 1)) > runs\n"
                        "if [ \"$runs\" = 2 ]; then " +
                            command + "; fi\necho \"$runs\"\n");
  write_file_atomically(
      folder.path() / "config.yaml",
      "search_space: {activation_type: [QUInt8, QInt8, QInt16, QUInt16]}\nsearch_metric_tolerance: "
      "1000\n"
      "search_evaluator: {command: [sh, judge.sh, '{model}'], direction: maximize}\n");
  return run_quantsearch({"search", "model.onnx", "--calibration", "data.npz", "--config",
                          "config.yaml", "--output", "out", "--quiet"},
                         folder.path());
}

class RemovedStudy : public ::testing::TestWithParam<std::string> {};

TEST_P(RemovedStudy, EndsTheSearchWithItsResults) {
  const TemporaryFolder folder;
  const RunResult result = search_disturbed_by(folder, GetParam());
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_EQ(result.error,
            "quantsearch: search: study database 'out/study.db' was removed or replaced while it "
            "was in use, which ended the search; the results of "
            "its 2 trials are in 'out', and --resume cannot continue them\n");
  const fs::path out = folder.path() / "out";
  const Value results = load_config_file(out / "results.json");
  EXPECT_EQ(results.find("trials")->as_list().size(), 2U);
  EXPECT_EQ(results.find("stop_reason")->as_string(), "study_removed");
  EXPECT_EQ(results.find("best")->as_int(), 1);
  EXPECT_TRUE(fs::exists(out / "best_config.yaml"));
  EXPECT_EQ(read_file(out / "best.onnx"), read_file(out / "candidates" / "0001.onnx"));
}

INSTANTIATE_TEST_SUITE_P(Ways, RemovedStudy,
                         ::testing::Values("rm out/study.db", "rm -r out",
                                           "mv out/study.db elsewhere"),
                         [](const auto& info) { return "Way" + std::to_string(info.index); });

INSTANTIATE_TEST_SUITE_P(Signals, SignalDuringASearch,
                         ::testing::Values(Signal{"INT", 130}, Signal{"TERM", 143}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace quantsearch
