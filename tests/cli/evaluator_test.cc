// Evaluators on the command line: tasks, programs with several scores, and servers.

#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <set>
#include <sstream>
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

// Notes its process and how many models it has scored. When it has to, it sends a signal to the
// search instead of an answer, and waits to be killed.
constexpr const char* kServer = R"(
import json, os, signal, sys, time
with open("started", "a") as file:
    file.write(f"{os.getpid()}\n")
models = 0
for line in sys.stdin:
    models += 1
    if models == 3 and len(sys.argv) > 1:
        os.kill(os.getppid(), getattr(signal, sys.argv[1]))
        time.sleep(1000)
    size = os.path.getsize(line.rstrip("\n"))
    print(json.dumps({"bytes": size, "models": models}), flush=True)
)";

class EvaluatorOnTheCommandLine : public ::testing::Test {
 protected:
  EvaluatorOnTheCommandLine() {
    testing::write_model(in("model.onnx"), testing::small_model());
    testing::write_arrays(in("data.npz"),
                          {{"x", Tensor::of<float>({6, 4}, testing::sample_values())}});
    write_file_atomically(in("serve.py"), kServer);
    write_file_atomically(
        in("config.yaml"),
        "search_space: {activation_type: [QUInt8, QInt8], per_channel: [true, false]}\n"
        "search_metric_tolerance: 1000000\n");
  }
  [[nodiscard]] fs::path in(const std::string& file) const { return folder_.path() / file; }
  [[nodiscard]] RunResult search(const std::vector<std::string>& more) const {
    std::vector<std::string> all = {"search",       "model.onnx", "--calibration", "data.npz",
                                    "--evaluation", "data.npz",   "--config",      "config.yaml",
                                    "--output",     "out",        "--quiet"};
    all.insert(all.end(), more.begin(), more.end());
    return run_quantsearch(all, folder_.path());
  }
  [[nodiscard]] Value results() const { return load_config_file(in("out/results.json")); }
  [[nodiscard]] std::set<pid_t> servers() const {
    std::set<pid_t> ids;
    std::istringstream lines(read_file(in("started")));
    for (pid_t id = 0; lines >> id;) ids.insert(id);
    return ids;
  }

  TemporaryFolder folder_;
};

TEST_F(EvaluatorOnTheCommandLine, AServerScoresAllModelsOfASearch) {
  const RunResult result =
      search({"--evaluator", "{server: [python3, serve.py], direction: {bytes: minimize}}",
              "--metric", "bytes"});
  ASSERT_EQ(result.exit_code, 0) << result.error;
  EXPECT_EQ(servers().size(), 1U);
  EXPECT_EQ(results().find("objective")->as_string(), "bytes");
  std::set<std::int64_t> counts;
  const Value found = results();
  for (const Value& trial : found.find("trials")->as_list()) {
    const Value& scores = *trial.find("scores");
    EXPECT_EQ(scores.find("bytes")->as_double(), trial.find("size_bytes")->as_double());
    EXPECT_EQ(scores.find("custom"), nullptr);
    counts.insert(scores.find("models")->as_int());
  }
  EXPECT_EQ(counts, (std::set<std::int64_t>{2, 3, 4, 5}));  // the float model was the first
  for (const pid_t server : servers()) EXPECT_NE(::kill(server, 0), 0);
}

TEST_F(EvaluatorOnTheCommandLine, WorkersHaveServersOfTheirOwn) {
  const RunResult result =
      search({"--isolate", "--evaluator", "server: python3 serve.py", "--metric", "bytes"});
  ASSERT_EQ(result.exit_code, 0) << result.error;
  EXPECT_EQ(results().find("candidates")->as_list().size(), 4U);
  EXPECT_EQ(servers().size(), 2U);  // that of the float model, and that of the worker
  // A server ends when the worker that it reads from has ended: this loop ends, too.
  for (const pid_t server : servers()) {
    while (::kill(server, 0) == 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

TEST_F(EvaluatorOnTheCommandLine, ASignalKillsTheServer) {
  const RunResult result =
      search({"--evaluator", "server: python3 serve.py SIGINT", "--metric", "bytes"});
  EXPECT_EQ(result.exit_code, 130) << result.error;
  EXPECT_EQ(results().find("trials")->as_list().size(), 2U);
  ASSERT_EQ(servers().size(), 1U);
  EXPECT_NE(::kill(*servers().begin(), 0), 0);
}

TEST_F(EvaluatorOnTheCommandLine, ACommandMayPrintSeveralScores) {
  write_file_atomically(in("score.sh"), "echo '{\"good\": 0.5, \"bad\": 2}'\n");
  const std::string evaluator = "sh score.sh {model}";
  const RunResult unnamed = search({"--evaluator", evaluator});
  EXPECT_EQ(unnamed.exit_code, 2);
  EXPECT_EQ(unnamed.error,
            "quantsearch: evaluate: the evaluator gave the scores 'bad', 'good', expected "
            "search_metric (--metric) to name the one that decides\n");
  ASSERT_EQ(search({"--evaluator", evaluator, "--metric", "good"}).exit_code, 0);
  const Value trial = results().find("trials")->as_list().front();
  EXPECT_EQ(trial.find("scores")->find("bad")->as_double(), 2);
}

TEST_F(EvaluatorOnTheCommandLine, ATaskNeedsNoLabels) {
  const RunResult result = search({"--evaluator", "classification"});
  ASSERT_EQ(result.exit_code, 0) << result.error;
  EXPECT_EQ(results().find("objective")->as_string(), "accuracy_top1");
}

TEST_F(EvaluatorOnTheCommandLine, AnUnknownTaskIsRefused) {
  const RunResult result = search({"--evaluator", "clasification"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_EQ(result.error,
            "quantsearch: --evaluator: unknown task 'clasification'; nearest known: "
            "'classification'; a program needs '{model}' in its arguments\n");
}

TEST_F(EvaluatorOnTheCommandLine, EvaluateShowsTheScoresOfBothModels) {
  ASSERT_EQ(search({"--iteration-limit", "1"}).exit_code, 0);
  const auto evaluated = [this](const std::string& evaluator) {
    const RunResult result = run_quantsearch({"evaluate", "model.onnx", "out/best.onnx", "--data",
                                              "data.npz", "--json", "--evaluator", evaluator},
                                             folder_.path());
    EXPECT_EQ(result.exit_code, 0) << result.error;
    return parse_json(result.out, "output");
  };
  const Value task = evaluated("classification");
  EXPECT_EQ(task.find("float")->find("scores")->find("accuracy_top1")->as_double(), 1);
  EXPECT_NE(task.find("quantized")->find("scores")->find("accuracy_top1"), nullptr);
  const Value server = evaluated("server: python3 serve.py");
  for (const char* model : {"float", "quantized"}) {
    EXPECT_EQ(server.find(model)->find("scores")->find("bytes")->as_double(),
              server.find(model)->find("size_bytes")->as_double());
  }
  EXPECT_EQ(servers().size(), 1U);
}

}  // namespace
}  // namespace quantsearch
