// Trials in worker processes: the same results, and a crash is one failed trial.

#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "cli/made_inputs.h"
#include "cli/run_command.h"
#include "quantsearch/base/value.h"
#include "quantsearch/internal/base/files.h"

namespace quantsearch {
namespace {

namespace fs = std::filesystem;
using testing::run_quantsearch;
using testing::RunResult;

class IsolatedSearch : public ::testing::Test {
 protected:
  IsolatedSearch() {
    testing::write_model(in("model.onnx"), testing::small_model());
    testing::write_arrays(in("data.npz"),
                          {{"x", Tensor::of<float>({6, 4}, testing::sample_values())}});
    write_file_atomically(in("config.yaml"), kSpace);
  }

  [[nodiscard]] fs::path in(const std::string& file) const { return folder_.path() / file; }
  [[nodiscard]] std::vector<std::string> arguments(const std::string& output,
                                                   const std::vector<std::string>& more) const {
    std::vector<std::string> all = {"search",       "model.onnx", "--calibration", "data.npz",
                                    "--evaluation", "data.npz",   "--config",      "config.yaml",
                                    "--output",     output,       "--quiet"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  [[nodiscard]] RunResult search(const std::string& output,
                                 const std::vector<std::string>& more) const {
    return run_quantsearch(arguments(output, more), folder_.path());
  }
  [[nodiscard]] Value::List trials_of(const std::string& output) const {
    return load_config_file(in(output) / "results.json").find("trials")->as_list();
  }
  /// What does not depend on time.
  [[nodiscard]] Value found_in(const std::string& output) const {
    Value::List found;
    for (const Value& trial : trials_of(output)) {
      found.push_back(Value::Map{{"number", *trial.find("number")},
                                 {"state", *trial.find("state")},
                                 {"config", *trial.find("config")},
                                 {"scores", *trial.find("scores")},
                                 {"size", *trial.find("size_bytes")}});
    }
    return found;
  }

  static constexpr const char* kSpace =
      "search_space: {activation_type: [QUInt8, QInt8, QInt16, QUInt16], calibrate_method: "
      "[MinMax, Percentile], per_channel: [true, false]}\n"
      "search_metric_tolerance: 1000\n";
  TemporaryFolder folder_;
};

TEST_F(IsolatedSearch, FindsWhatOneInTheProcessFinds) {
  for (const std::vector<std::string>& kind :
       {std::vector<std::string>{}, {"--algorithm", "TPE"}, {"--jobs", "2"}}) {
    std::vector<std::string> isolated = kind;
    isolated.emplace_back("--isolate");
    fs::remove_all(in("here"));
    fs::remove_all(in("apart"));
    ASSERT_EQ(search("here", kind).exit_code, 0);
    const RunResult apart = search("apart", isolated);
    ASSERT_EQ(apart.exit_code, 0) << apart.error;
    EXPECT_EQ(to_json(found_in("apart"), 1), to_json(found_in("here"), 1));
    EXPECT_EQ(read_file(in("apart/best.onnx")), read_file(in("here/best.onnx")));
    EXPECT_EQ(testing::configuration_in(in("apart/best_config.yaml")),
              testing::configuration_in(in("here/best_config.yaml")));
    int candidates = 0;
    for (const auto& entry : fs::directory_iterator(in("here/candidates"))) {
      EXPECT_EQ(read_file(in("apart/candidates") / entry.path().filename()),
                read_file(entry.path()));
      ++candidates;
    }
    EXPECT_EQ(candidates, 5);
  }
}

TEST_F(IsolatedSearch, ATrialThatKillsItsProcessHasFailedAndTheOthersGoOn) {
  // The evaluator is a child of the worker. Sanitizers leave SIGABRT alone. Models with 16-bit
  // activations use the domain com.microsoft.
  write_file_atomically(in("judge.sh"),
                        "if grep -q com.microsoft \"$1\"; then kill -ABRT $PPID; exec tail -f "
                        "/dev/null; fi; wc -c < \"$1\"\n");
  write_file_atomically(
      in("config.yaml"),
      std::string(kSpace) +
          "search_evaluator: {command: [sh, judge.sh, '{model}'], direction: minimize}\n");
  const RunResult result = search("out", {"--isolate"});
  ASSERT_EQ(result.exit_code, 0) << result.error;
  int failed = 0;
  int complete = 0;
  for (const Value& trial : trials_of("out")) {
    const bool is_wide = trial.find("config")->find("activation_type")->as_string().ends_with("16");
    EXPECT_EQ(trial.find("state")->as_string(), is_wide ? "failed" : "complete") << to_json(trial);
    if (is_wide) {
      EXPECT_EQ(trial.find("reason")->as_string(),
                "the worker process was ended by signal 6 (Aborted)");
    }
    ++(is_wide ? failed : complete);
  }
  EXPECT_GT(failed, 0);
  EXPECT_GT(complete, 0);
}

TEST_F(IsolatedSearch, WithTooLittleMemoryDoesNotBegin) {
  const RunResult result = search("out", {"--isolate", "--trial-memory", "1M"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.error.find("its limit is 1.0 MB before its first trial; raise --trial-memory"),
            std::string::npos)
      << result.error;
}

TEST_F(IsolatedSearch, ALimitOfMemoryNeedsWorkers) {
  const RunResult result = search("out", {"--trial-memory", "1G"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(
      result.error.find("is the limit of a worker process, add search_isolate: true (--isolate)"),
      std::string::npos)
      << result.error;
}

TEST_F(IsolatedSearch, LeavesNoProcessBehindWhenItIsKilled) {
  // The evaluator notes its worker; the second trial waits for ever.
  write_file_atomically(in("judge.sh"),
                        "echo $PPID > worker.partial; mv worker.partial worker\n"
                        "[ -e float ] || { touch float; echo 1; exit; }\n"
                        "exec tail -f /dev/null\n");
  write_file_atomically(
      in("config.yaml"),
      std::string(kSpace) +
          "search_evaluator: {command: [sh, judge.sh, '{model}'], direction: minimize}\n");
  const int process = testing::start_quantsearch(arguments("out", {"--isolate"}), folder_.path());
  const auto moment = [] { std::this_thread::sleep_for(std::chrono::milliseconds(5)); };
  const auto worker = [this] {
    std::ifstream file(in("worker"));
    pid_t id = 0;
    file >> id;
    return id;
  };
  while (worker() == 0 || worker() == process) moment();
  const pid_t orphan = worker();
  EXPECT_EQ(::kill(orphan, 0), 0);
  ::kill(process, SIGKILL);
  EXPECT_EQ(testing::wait_for(process), 128 + SIGKILL);
  // It ends by itself: this loop does too.
  const auto has_ended = [orphan] {
    std::ifstream file("/proc/" + std::to_string(orphan) + "/stat");
    std::string id, name, state;
    return !(file >> id >> name >> state) || state == "Z";
  };
  while (!has_ended()) moment();
  SUCCEED();
}

}  // namespace
}  // namespace quantsearch
