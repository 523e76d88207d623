#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "quantsearch/base/error.h"
#include "quantsearch/evaluate/command_evaluator.h"
#include "quantsearch/internal/base/files.h"

namespace quantsearch {
namespace {

namespace fs = std::filesystem;

// Takes a word of the path of each model as what to do.
constexpr const char* kProgram = R"(
import json, os, pathlib, sys, time
folder = pathlib.Path(sys.argv[1])
with open(folder / "started", "a") as file:
    file.write(f"{os.getpid()}\n")
print("loaded", file=sys.stderr, flush=True)
answered = 0
for line in sys.stdin:
    what = pathlib.Path(line.strip()).stem
    answered += 1
    if what == "count":
        print(answered, flush=True)
    elif what == "scores":
        print(json.dumps({"map": 0.25, "map50": 0.5, "answered": answered}), flush=True)
    elif what == "nonsense":
        print("epoch 1 of 3", flush=True)
    elif what == "error":
        print(json.dumps({"error": "no boxes"}), flush=True)
    elif what == "prune":
        print(json.dumps({"pruned": "too slow"}), flush=True)
    elif what == "die":
        sys.exit("out of luck")
    elif what == "die_once" and not (folder / "died").exists():
        (folder / "died").touch()
        os._exit(3)
    elif what == "die_once":
        print(answered, flush=True)
    elif what == "hang":
        (folder / "hangs").touch()
        time.sleep(1000)
(folder / "ended").touch()
)";

class EvaluatorServerTest : public ::testing::Test {
 protected:
  EvaluatorServerTest() { write_file_atomically(folder_.path() / "serve.py", kProgram); }

  [[nodiscard]] CommandEvaluator evaluator(double timeout = 120) const {
    return {.command = {"python3", (folder_.path() / "serve.py").string(), folder_.path().string()},
            .timeout_seconds = timeout,
            .stays_alive = true};
  }
  [[nodiscard]] std::unique_ptr<EvaluatorServer> server(double timeout = 120) {
    return std::make_unique<EvaluatorServer>(evaluator(timeout),
                                             [this](LogLevel /*level*/, std::string_view line) {
                                               const std::lock_guard lock(mutex_);
                                               log_ += std::string(line) + "\n";
                                             });
  }
  [[nodiscard]] static EvaluatorScores ask(EvaluatorServer& server, const std::string& what) {
    return server.score("/models/" + what + ".onnx", {});
  }
  [[nodiscard]] static std::string failure(EvaluatorServer& server, const std::string& what) {
    try {
      (void)ask(server, what);
    } catch (const IoError& error) {
      return error.what();
    }
    return "nothing was thrown";
  }
  [[nodiscard]] std::string command() const {
    std::string text;
    for (const std::string& word : evaluator().command) text += (text.empty() ? "" : " ") + word;
    return text;
  }
  /// The ids of the processes that have been started.
  [[nodiscard]] std::vector<pid_t> started() const {
    std::vector<pid_t> ids;
    if (!fs::exists(folder_.path() / "started")) return ids;
    std::istringstream lines(read_file(folder_.path() / "started"));
    for (pid_t id = 0; lines >> id;) ids.push_back(id);
    return ids;
  }
  [[nodiscard]] bool has_ended_by_itself() const { return fs::exists(folder_.path() / "ended"); }

  TemporaryFolder folder_;
  std::mutex mutex_;
  std::string log_;
};

TEST_F(EvaluatorServerTest, OneProcessScoresManyModels) {
  const auto asked = server();
  EXPECT_TRUE(started().empty());
  EXPECT_EQ(ask(*asked, "count"), EvaluatorScores(1));
  EXPECT_EQ(ask(*asked, "count"), EvaluatorScores(2));
  const EvaluatorScores scores = ask(*asked, "scores");
  EXPECT_EQ(scores.named,
            (std::map<std::string, double>{{"map", 0.25}, {"map50", 0.5}, {"answered", 3}}));
  EXPECT_EQ(scores.number, std::nullopt);
  EXPECT_EQ(started().size(), 1U);
  EXPECT_EQ(log_, "evaluator: loaded\n");
}

TEST_F(EvaluatorServerTest, EndsWithItsInput) {
  {
    const auto asked = server();
    (void)ask(*asked, "count");
  }
  EXPECT_TRUE(has_ended_by_itself());
  EXPECT_NE(::kill(started().front(), 0), 0);
}

TEST_F(EvaluatorServerTest, RestsBetweenSearches) {
  const auto asked = server();
  (void)ask(*asked, "count");
  asked->rest();
  EXPECT_TRUE(has_ended_by_itself());
  EXPECT_EQ(ask(*asked, "count"), EvaluatorScores(1));
  EXPECT_EQ(started().size(), 2U);
}

TEST_F(EvaluatorServerTest, AProcessThatDiesIsStartedOnceMore) {
  const auto asked = server();
  EXPECT_EQ(ask(*asked, "count"), EvaluatorScores(1));
  EXPECT_EQ(ask(*asked, "die_once"), EvaluatorScores(1));
  EXPECT_EQ(started().size(), 2U);
  EXPECT_NE(log_.find("evaluate: server '" + command() +
                      "' ended with exit code 3, expected 0, last line of stderr: 'loaded'; it is "
                      "started again\n"),
            std::string::npos)
      << log_;
}

TEST_F(EvaluatorServerTest, AProcessThatDiesTwiceIsAFailureAndNotTheEnd) {
  const auto asked = server();
  EXPECT_EQ(failure(*asked, "die"),
            "evaluate: server '" + command() +
                "' ended with exit code 1, expected 0, last line of stderr: 'out of luck', instead "
                "of scoring the model, also when it was started again");
  EXPECT_EQ(started().size(), 2U);
  EXPECT_EQ(ask(*asked, "count"), EvaluatorScores(1));
}

TEST_F(EvaluatorServerTest, ALineWithoutScoresIsAFailure) {
  const auto asked = server();
  EXPECT_EQ(failure(*asked, "nonsense"),
            "evaluate: server '" + command() +
                "' printed 'epoch 1 of 3', expected one line with a finite number or a JSON "
                "mapping of scores for each model; print anything else to stderr");
  EXPECT_EQ(ask(*asked, "count"), EvaluatorScores(1));  // of a new process
}

TEST_F(EvaluatorServerTest, SaysWhyThereIsNoScore) {
  const auto asked = server();
  EXPECT_EQ(failure(*asked, "error"),
            "evaluate: the evaluator could not score the model: no boxes");
  EXPECT_THROW((void)ask(*asked, "prune"), PrunedByEvaluator);
  EXPECT_EQ(ask(*asked, "count"), EvaluatorScores(3));  // the process goes on
}

TEST_F(EvaluatorServerTest, ATimeoutKillsIt) {
  const auto asked = server(1);
  EXPECT_TRUE(failure(*asked, "hang")
                  .starts_with("evaluate: server '" + command() +
                               "' took longer than 1 s for a model and was killed"));
  // On a busy machine it may be killed before it writes its id.
  for (const pid_t id : started()) EXPECT_NE(::kill(id, 0), 0);
}

TEST_F(EvaluatorServerTest, CancellingKillsIt) {
  const auto asked = server();
  const CancellationToken token;
  const std::jthread canceller([&] {
    while (!fs::exists(folder_.path() / "hangs")) std::this_thread::yield();
    token.cancel();
  });
  EXPECT_THROW((void)asked->score("/models/hang.onnx", token), Cancelled);
  ASSERT_EQ(started().size(), 1U);
  EXPECT_NE(::kill(started().front(), 0), 0);
}

TEST_F(EvaluatorServerTest, ModelsAtTheSameTimeHaveProcessesOfTheirOwn) {
  const auto asked = server();
  {
    const std::jthread one([&] { (void)ask(*asked, "count"); });
    const std::jthread other([&] { (void)ask(*asked, "count"); });
  }
  EXPECT_LE(started().size(), 2U);
  EXPECT_GE(started().size(), 1U);
}

TEST_F(EvaluatorServerTest, AProgramThatCannotBeStartedIsNamed) {
  EvaluatorServer none({.command = {"/no/such/program"}, .stays_alive = true}, {});
  EXPECT_EQ(failure(none, "count"),
            "evaluate: command '/no/such/program' cannot be started: No such file or directory");
  EXPECT_THROW(EvaluatorServer({.command = {}}, {}), InvalidInput);
}

TEST(ReadScores, TakesNumbersAndMappings) {
  EXPECT_EQ(read_scores("0.5"), EvaluatorScores(0.5));
  EXPECT_EQ(read_scores("+1e3"), EvaluatorScores(1000));
  EXPECT_EQ(read_scores(R"({"a": 1, "b": -0.5})"),
            EvaluatorScores(std::map<std::string, double>{{"a", 1}, {"b", -0.5}}));
  for (const char* line : {"", "nan", "inf", "0.5 accuracy", "{}", "{\"a\": \"1\"}", "{\"a\": NaN}",
                           "{\"a\": null}", "[0.5]", "{"}) {
    EXPECT_EQ(read_scores(line), std::nullopt) << line;
  }
}

}  // namespace
}  // namespace quantsearch
