#include "quantsearch/evaluate/command_evaluator.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <string>
#include <thread>

#include "quantsearch/base/error.h"

namespace quantsearch {
namespace {

double run(const std::vector<std::string>& command, double timeout = 60,
           const CancellationToken& token = {}) {
  return run_command_evaluator({.command = command, .timeout_seconds = timeout}, "model.onnx",
                               token)
      .number.value();
}

std::string error_of(const std::vector<std::string>& command, double timeout = 60) {
  try {
    (void)run(command, timeout);
  } catch (const IoError& error) {
    return error.what();
  }
  return "no error";
}

std::ptrdiff_t open_descriptors() {
  const std::filesystem::directory_iterator descriptors("/proc/self/fd");
  return std::distance(begin(descriptors), end(descriptors));
}

TEST(CommandEvaluator, TheLastNonEmptyLineIsTheScore) {
  EXPECT_EQ(run({"printf", "loading\\n0.25\\n\\n  \\n"}), 0.25);
  EXPECT_EQ(run({"printf", "+1e-3\\r\\n"}), 1e-3);
  EXPECT_EQ(run({"printf", "-7"}), -7);
}

TEST(CommandEvaluator, TheModelReplacesThePlaceholderInEveryArgumentWithoutAShell) {
  EXPECT_EQ(error_of({"echo", "--model={model}", "{model};$HOME"}),
            "evaluate: command 'echo --model=model.onnx model.onnx;$HOME' printed "
            "'--model=model.onnx model.onnx;$HOME' on "
            "its last line, expected a finite number or a JSON mapping of scores");
}

TEST(CommandEvaluator, TheLastLineMayHoldSeveralScores) {
  const EvaluatorScores scores = run_command_evaluator(
      {.command = {"printf", "loading\\n{\"map\": 0.5, \"map50\": 0.75}\\n"}}, "model.onnx", {});
  EXPECT_EQ(scores.named, (std::map<std::string, double>{{"map", 0.5}, {"map50", 0.75}}));
}

TEST(CommandEvaluator, FailuresNameTheirCause) {
  EXPECT_EQ(error_of({"sh", "-c", "echo 1; echo first >&2; echo no such label >&2; exit 3"}),
            "evaluate: command 'sh -c echo 1; echo first >&2; echo no such label >&2; exit 3' "
            "ended with exit code 3, expected "
            "0, last line of stderr: 'no such label'");
  EXPECT_EQ(error_of({"true"}),
            "evaluate: command 'true' printed nothing, expected a number or a JSON mapping of "
            "scores on its last line, nothing on stderr");
  EXPECT_EQ(error_of({"echo", "nan"}),
            "evaluate: command 'echo nan' printed 'nan' on its last line, expected a finite number "
            "or a JSON mapping of scores");
  EXPECT_EQ(error_of({"echo", "0.9 accuracy"}),
            "evaluate: command 'echo 0.9 accuracy' printed '0.9 accuracy' on its last line, "
            "expected a finite number or a JSON mapping of scores");
  EXPECT_EQ(error_of({"/no/such/program"}),
            "evaluate: command '/no/such/program' cannot be started: No such file or directory");
  EXPECT_EQ(
      error_of({"sh", "-c", "kill -9 $$"}),
      "evaluate: command 'sh -c kill -9 $$' was ended by signal 9 (Killed), nothing on stderr");
}

TEST(CommandEvaluator, ATimeoutKillsTheWholeGroup) {
  EXPECT_EQ(error_of({"sh", "-c", "echo waiting >&2; sleep 100 & wait"}, 0.3),
            "evaluate: command 'sh -c echo waiting >&2; sleep 100 & wait' took longer than 0.3 s "
            "and was killed, last line of "
            "stderr: 'waiting'");
}

TEST(CommandEvaluator, ABackgroundProcessDoesNotDelayTheScore) {
  EXPECT_EQ(run({"sh", "-c", "sleep 100 & echo 5"}), 5);
}

TEST(CommandEvaluator, EndlessOutputEndsAtTheTimeout) {
  EXPECT_NE(error_of({"yes", "1"}, 0.2).find("took longer than 0.2 s"), std::string::npos);
}

TEST(CommandEvaluator, CancellingEndsIt) {
  const CancellationToken token;
  const std::jthread canceller([&] { token.cancel(); });
  EXPECT_THROW((void)run({"sleep", "100"}, 60, token), Cancelled);
}

TEST(CommandEvaluator, LeavesNeitherZombiesNorDescriptors) {
  (void)run({"echo", "1"});
  const std::ptrdiff_t before = open_descriptors();
  (void)run({"echo", "1"});
  (void)error_of({"/no/such/program"});
  (void)error_of({"sleep", "100"}, 0.05);
  EXPECT_EQ(open_descriptors(), before);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);  // there are no children at all
}

TEST(CommandEvaluator, InheritsNoDescriptors) {
  const int ours = ::open("/dev/null", O_RDONLY);  // open across exec by default
  ASSERT_GE(ours, 3);
  EXPECT_EQ(
      run({"sh", "-c", "test -e /proc/$$/fd/" + std::to_string(ours) + " && echo 1 || echo 0"}), 0);
  ::close(ours);
}

TEST(CommandEvaluator, RefusesAnEmptyCommandAndNoTime) {
  EXPECT_THROW((void)run({}), InvalidInput);
  EXPECT_THROW((void)run({"echo", "1"}, 0), InvalidInput);
}

}  // namespace
}  // namespace quantsearch
