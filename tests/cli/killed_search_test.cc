// kill -9 at 20 moments of a search: what it leaves continues to the same end.

#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "cli/made_inputs.h"
#include "cli/run_command.h"
#include "quantsearch/base/random.h"
#include "quantsearch/base/value.h"
#include "quantsearch/internal/base/files.h"

namespace quantsearch {
namespace {

namespace fs = std::filesystem;
using testing::run_quantsearch;
using testing::RunResult;
using testing::start_quantsearch;

struct Kind {
  std::string name;
  std::string algorithm;
  std::string jobs;
  // Of rel_l2, of a search without a configuration; "": the search has one.
  std::string tolerance = {};
  int exit_code = 0;
};

void PrintTo(const Kind& kind, std::ostream* stream) { *stream << kind.name; }

class KilledSearch : public ::testing::TestWithParam<Kind> {
 protected:
  KilledSearch() {
    testing::write_model(folder_.path() / "model.onnx", testing::small_model());
    testing::write_arrays(folder_.path() / "data.npz",
                          {{"x", Tensor::of<float>({6, 4}, testing::sample_values())}});
    write_file_atomically(folder_.path() / "config.yaml",
                          "search_space: {activation_type: [QUInt8, QInt8, QInt16, QUInt16], "
                          "calibrate_method: [MinMax, Entropy, Percentile],\n"
                          "               per_channel: [true, false]}\n"
                          "search_metric_tolerance: 1000\nsearch_racing: false\n");
  }

  [[nodiscard]] std::vector<std::string> arguments(const std::string& output) const {
    std::vector<std::string> all = {
        "search",   "model.onnx",    "--calibration", "data.npz",    "--evaluation",
        "data.npz", "--output",      output,          "--algorithm", GetParam().algorithm,
        "--jobs",   GetParam().jobs, "--resume",      "--quiet"};
    const std::vector<std::string> more =
        GetParam().tolerance.empty()
            ? std::vector<std::string>{"--config", "config.yaml"}
            : std::vector<std::string>{"--no-latency", "--metric", "rel_l2", "--tolerance",
                                       GetParam().tolerance};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  [[nodiscard]] fs::path in(const std::string& file) const { return folder_.path() / file; }

  /// What a search found, without how long it took.
  [[nodiscard]] Value found_in(const std::string& output) const {
    const Value results = load_config_file(in(output) / "results.json");
    Value::List trials;
    for (const Value& trial : results.find("trials")->as_list()) {
      trials.push_back(Value::Map{{"number", *trial.find("number")},
                                  {"state", *trial.find("state")},
                                  {"config", *trial.find("config")},
                                  {"scores", *trial.find("scores")},
                                  {"size", *trial.find("size_bytes")}});
    }
    return Value::Map{{"trials", trials},
                      {"best", *results.find("best")},
                      {"candidates", *results.find("candidates")}};
  }

  TemporaryFolder folder_;
};

TEST_P(KilledSearch, ContinuesToTheSameEnd) {
  constexpr int kKills = 20;
  const auto start = std::chrono::steady_clock::now();
  const RunResult whole = run_quantsearch(arguments("whole"), folder_.path());
  ASSERT_EQ(whole.exit_code, GetParam().exit_code) << whole.error;
  const std::chrono::duration<double> length = std::chrono::steady_clock::now() - start;

  RandomStream random(17);
  int killed = 0;
  for (int kill_number = 0; kill_number < kKills; ++kill_number) {
    const int process = start_quantsearch(arguments("out"), folder_.path());
    // Any moment will do, also one before it has begun or after its end.
    std::this_thread::sleep_for(random.uniform() * length);
    ::kill(process, SIGKILL);
    if (testing::wait_for(process) == 128 + SIGKILL) ++killed;
  }
  EXPECT_GT(killed, 0);
  const RunResult last = run_quantsearch(arguments("out"), folder_.path());
  ASSERT_EQ(last.exit_code, GetParam().exit_code) << last.error;
  EXPECT_EQ(to_json(found_in("out"), 1), to_json(found_in("whole"), 1));
  EXPECT_EQ(read_file(in("out/best.onnx")), read_file(in("whole/best.onnx")));
  EXPECT_EQ(testing::configuration_in(in("out/best_config.yaml")),
            testing::configuration_in(in("whole/best_config.yaml")));
  const RunResult report = run_quantsearch({"report", "out/study.db", "--json"}, folder_.path());
  EXPECT_EQ(report.exit_code, 0) << report.error;
  EXPECT_EQ(parse_json(report.out, "report").find("trials")->as_list().size(),
            found_in("whole").find("trials")->as_list().size());
}

INSTANTIATE_TEST_SUITE_P(
    Searches, KilledSearch,
    ::testing::Values(Kind{"Grid", "grid_search", "1"}, Kind{"GridOfTwoJobs", "grid_search", "2"},
                      Kind{"Model", "TPE", "1"}, Kind{"ModelOfTwoJobs", "TPE", "2"},
                      Kind{"Escalation", "escalation", "1", "1000"},
                      Kind{"EscalationWithoutACandidate", "escalation", "2", "1e-12", 3}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace quantsearch
