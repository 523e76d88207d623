// Several `search` commands on one study of a PostgreSQL server, one of them killed.

#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <thread>

#include "cli/made_inputs.h"
#include "cli/run_command.h"
#include "quantsearch/base/value.h"
#include "quantsearch/internal/base/files.h"
#include "storage/place.h"

namespace quantsearch {
namespace {

namespace fs = std::filesystem;
using testing::run_quantsearch;
using testing::RunResult;

constexpr const char* kSpace =
    "search_space: {activation_type: [QUInt8, QInt8], calibrate_method: [MinMax, Percentile, "
    "Entropy], per_channel: [true, false]}\n"
    "search_metric_tolerance: 1000\n";
// A trial's judge waits for ever while the file `block` is there, and as long as `pause` is there;
// the first call judges the float model.
constexpr const char* kJudge =
    "if [ -e float ] && [ -e block ]; then echo $$ > judge.partial; mv judge.partial judge; exec "
    "tail -f /dev/null; fi\n"
    "if grep -q QuantizeLinear \"$1\" && [ -e pause ]; then touch paused; while [ -e pause ]; do "
    "sleep 0.02; done; "
    "fi\n"
    "touch float; wc -c < \"$1\"\n";

class SharedSearch : public ::testing::Test {
 protected:
  SharedSearch() {
    testing::write_model(in("model.onnx"), testing::small_model());
    testing::write_arrays(in("data.npz"),
                          {{"x", Tensor::of<float>({6, 4}, testing::sample_values())}});
    write_file_atomically(in("judge.sh"), kJudge);
    write_file_atomically(
        in("config.yaml"),
        std::string(kSpace) +
            "search_evaluator: {command: [sh, judge.sh, '{model}'], direction: minimize}\n");
  }
  [[nodiscard]] fs::path in(const std::string& file) const { return folder_.path() / file; }
  [[nodiscard]] static std::vector<std::string> arguments(const std::string& output,
                                                          const std::string& storage) {
    return {"search",    "model.onnx", "--calibration", "data.npz", "--evaluation",
            "data.npz",  "--config",   "config.yaml",   "--output", output,
            "--storage", storage,      "--study",       "ours",     "--quiet"};
  }
  TemporaryFolder folder_;
};

/// Kills the program whose id the file holds, once it is there.
void kill_when_named(const fs::path& file, int signal) {
  while (!fs::exists(file)) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  pid_t id = 0;
  std::ifstream(file) >> id;
  ASSERT_GT(id, 0);
  ::kill(id, signal);
}

/// Every trial is there once, and complete.
void expect_all_done_once(const std::string& storage) {
  const std::vector<Trial> trials = load_trials(storage, "ours");
  std::set<std::string> points;
  for (const Trial& trial : trials) {
    EXPECT_EQ(trial.state, TrialState::complete) << trial.reason;
    points.insert(to_string(trial.point));
  }
  EXPECT_EQ(trials.size(), 12U);
  EXPECT_EQ(points.size(), 12U);
}

TEST_F(SharedSearch, TheTrialOfADeadProcessIsTakenOverAndEveryOneIsDoneOnce) {
  const std::unique_ptr<Place> place = new_place();
  if (place == nullptr) GTEST_SKIP() << "no PostgreSQL server";
  const RunResult alone =
      run_quantsearch({"search", "model.onnx", "--calibration", "data.npz", "--evaluation",
                       "data.npz", "--config", "config.yaml", "--output", "alone", "--quiet"},
                      folder_.path());
  ASSERT_EQ(alone.exit_code, 0) << alone.error;

  fs::remove(in("float"));
  write_file_atomically(in("block"), "");
  const int dying =
      testing::start_quantsearch(arguments("first", place->address()), folder_.path());
  while (!fs::exists(in("judge"))) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  ::kill(dying, SIGKILL);
  EXPECT_EQ(testing::wait_for(dying), 128 + SIGKILL);
  kill_when_named(in("judge"), SIGKILL);
  EXPECT_EQ(place->rows("SELECT state FROM trials"), std::vector<std::string>{"RUNNING"});
  fs::remove(in("block"));
  // An hour passes: its lease is over.
  place->run("UPDATE trial_heartbeats SET heartbeat = heartbeat - interval '1 hour'");

  const int second =
      testing::start_quantsearch(arguments("second", place->address()), folder_.path());
  const RunResult third = run_quantsearch(arguments("third", place->address()), folder_.path());
  EXPECT_EQ(third.exit_code, 0) << third.error;
  EXPECT_EQ(testing::wait_for(second), 0);
  // One that comes when all is done finds nothing to do.
  const RunResult last = run_quantsearch(arguments("last", place->address()), folder_.path());
  EXPECT_EQ(last.exit_code, 0) << last.error;

  expect_all_done_once(place->address());
  const std::string best = read_file(in("alone/best.onnx"));
  EXPECT_EQ(read_file(in("third/best.onnx")), best);
  EXPECT_EQ(read_file(in("second/best.onnx")), best);
  EXPECT_EQ(read_file(in("last/best.onnx")), best);
}

// The scripts that start workers on a cluster.
const std::string kExamples = QUANTSEARCH_SOURCE_DIR "/examples/";
const std::string kWorkerScript = kExamples + "many_machines/worker.sh";

/// The environment in which the scheduler starts a worker.
std::map<std::string, std::string> worker_environment(const std::string& storage) {
  return {{"MODEL", "model.onnx"},
          {"CALIBRATION", "data.npz"},
          {"CONFIG", "config.yaml"},
          {"STORAGE", storage},
          {"STUDY", "ours"},
          {"OUTPUT", "found"},
          {"WORKER_SCRIPT", kWorkerScript},
          {"QUANTSEARCH", QUANTSEARCH_PROGRAM}};
}

TEST_F(SharedSearch, WorkersOfTheTemplatesOutliveEachOtherAndARestartOfTheServer) {
  const std::unique_ptr<Place> place = new_place();
  if (place == nullptr) GTEST_SKIP() << "no PostgreSQL server";
  auto of_slurm = worker_environment(place->address());
  of_slurm["SLURM_ARRAY_TASK_ID"] = "0";
  of_slurm["SLURM_CPUS_PER_TASK"] = "1";
  of_slurm["SLURM_MEM_PER_NODE"] = "1024";
  auto of_kubernetes = worker_environment(place->address());
  of_kubernetes["JOB_COMPLETION_INDEX"] = "1";
  of_kubernetes["CPUS"] = "1";
  of_kubernetes["MEMORY_BYTES"] = "1073741824";
  const std::vector<std::string> slurm = {"bash", kExamples + "slurm/search.sbatch", "--quiet"};
  const std::vector<std::string> kubernetes = {"bash", kWorkerScript, "--quiet"};

  write_file_atomically(in("block"), "");
  const int dying = testing::start_program(slurm, folder_.path(), of_slurm);
  while (!fs::exists(in("judge"))) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  ::kill(dying, SIGKILL);
  EXPECT_EQ(testing::wait_for(dying), 128 + SIGKILL);
  kill_when_named(in("judge"), SIGKILL);
  fs::remove(in("block"));
  place->run("UPDATE trial_heartbeats SET heartbeat = heartbeat - interval '1 hour'");

  write_file_atomically(in("pause"), "");
  const int second = testing::start_program(kubernetes, folder_.path(), of_kubernetes);
  const int again = testing::start_program(slurm, folder_.path(), of_slurm);
  const auto users = [&] {
    return place->rows("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").at(0);
  };
  while (!fs::exists(in("paused")) || users() != "2")
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  ASSERT_TRUE(place->stop());
  fs::remove(in("pause"));
  place->resume();
  EXPECT_EQ(testing::wait_for(second), 0);
  EXPECT_EQ(testing::wait_for(again), 0);
  expect_all_done_once(place->address());
  EXPECT_EQ(read_file(in("found/worker-0/best.onnx")), read_file(in("found/worker-1/best.onnx")));
}

TEST_F(SharedSearch, AWorkerWithoutItsAddressSaysSo) {
  auto variables = worker_environment("");
  EXPECT_EQ(
      testing::wait_for(testing::start_program({"bash", kWorkerScript}, folder_.path(), variables)),
      2);
}

}  // namespace
}  // namespace quantsearch
