// Tests which trial is blamed when a worker dies. The workers are shell scripts that count how
// often they were started.

#include "trials/isolated_trials.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "quantsearch/base/error.h"

namespace quantsearch {
namespace {

constexpr const char* kSuccess =
    "echo '{\"success\": {\"value\": '$starts', \"is_candidate\": true, \"details\": {}, "
    "\"objectives\": [], \"constraints\": []}, \"made\": {}}'";

class IsolatedTrialsTest : public ::testing::Test {
 protected:
  /// The variable `starts` of the script is 1 in the first worker and 2 in the next.
  [[nodiscard]] IsolationOptions options(const std::string& script) const {
    const std::string count = (folder_.path() / "starts").string();
    const std::string begin = "starts=$(($(cat " + count +
                              " 2> /dev/null || echo 0) + 1)); echo $starts > " + count +
                              "; read greeting; echo '{\"ready\": \"all\"}'; ";
    return {.commands = {{"sh", "-c", begin + script}},
            .memory_limit = 0,
            .float_scores = {},
            .fingerprint = "all",
            .folder = folder_.path(),
            .token = {},
            .log = {}};
  }
  TemporaryFolder folder_;
};

TEST_F(IsolatedTrialsTest, ATrialWhoseUsedWorkerDiesIsRunAgainInANewWorker) {
  IsolatedTrials trials(options(std::string("while read request; do ") + kSuccess +
                                "; if [ $starts = 1 ]; then read request; exit 1; fi; done"));
  EXPECT_EQ(std::get<TrialSuccess>(trials.run({.point = {{"x", 0}}, .number = 0})).value, 1);
  EXPECT_EQ(std::get<TrialSuccess>(trials.run({.point = {{"x", 1}}, .number = 1})).value, 2);
}

TEST_F(IsolatedTrialsTest, ATrialWhoseNewWorkerDiesHasFailed) {
  IsolatedTrials trials(options("read request; echo out of luck >&2; exit 7"));
  EXPECT_EQ(std::get<TrialFailure>(trials.run({.point = {{"x", 0}}, .number = 0})).reason,
            "the worker process ended with exit code 7; its last line of errors: out of luck");
}

TEST_F(IsolatedTrialsTest, AWorkerMayDieWhileItIsAlone) {
  const std::string alone = "echo '{\"alone\": true}'; read may; ";
  IsolatedTrials trials(options(std::string("read request; if [ $starts = 1 ]; then ") + kSuccess +
                                "; read request; " + alone + "exit 1; fi; " + alone + kSuccess +
                                "; read more"));
  EXPECT_EQ(std::get<TrialSuccess>(trials.run({.point = {{"x", 0}}, .number = 0})).value, 1);
  EXPECT_EQ(std::get<TrialSuccess>(trials.run({.point = {{"x", 1}}, .number = 1})).value, 2);
}

TEST_F(IsolatedTrialsTest, AWorkerThatDoesNotStartIsAnErrorBeforeAnyTrial) {
  IsolationOptions broken = options("");
  broken.commands = {{"sh", "-c", "exit 1"}};
  EXPECT_THROW((void)IsolatedTrials(std::move(broken)), InvalidInput);
}

}  // namespace
}  // namespace quantsearch
