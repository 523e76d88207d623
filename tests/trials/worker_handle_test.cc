// Tests of the search's side of a worker process, with shell scripts as workers.

#include "trials/worker_handle.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "quantsearch/base/error.h"

namespace quantsearch {
namespace {

const Value kRequest = Value::Map{{"run", 0}};
const std::function<void()> kNothing = [] {};

/// Returns a worker that reports that it is ready, reads a request and then runs the script.
WorkerHandle::Options script(const std::string& text) {
  return {
      .command = {"sh", "-c", "read greeting; echo '{\"ready\": \"all\"}'; read request; " + text},
      .memory_limit = 0,
      .greeting = Value::Map{},
      .fingerprint = "all",
      .log = {}};
}

std::string death_of(const WorkerHandle::Options& options) {
  try {
    WorkerHandle worker(options, {});
    (void)worker.ask(kRequest, {}, kNothing);
  } catch (const WorkerDied& error) {
    return error.what();
  }
  return "it lives";
}

TEST(WorkerHandle, AnswersRequests) {
  WorkerHandle worker(script("echo '{\"success\": '\"$request\"'}'; read more"), {});
  EXPECT_EQ(worker.answered(), 0);
  EXPECT_EQ(*worker.ask(kRequest, {}, kNothing).find("success"), kRequest);
  EXPECT_EQ(worker.answered(), 1);
}

TEST(WorkerHandle, ForwardsTheLogOfTheWorker) {
  std::vector<std::string> lines;
  WorkerHandle::Options options =
      script("echo '{\"log\": 1, \"line\": \"half\"}'; echo '{\"success\": 1}'; read more");
  options.log = [&lines](LogLevel level, std::string_view line) {
    lines.push_back(std::to_string(static_cast<int>(level)) + std::string(line));
  };
  WorkerHandle worker(options, {});
  (void)worker.ask(kRequest, {}, kNothing);
  EXPECT_EQ(lines, std::vector<std::string>{"1half"});
}

TEST(WorkerHandle, CallsBackWhenTheWorkerRequestsToBeAlone) {
  int calls = 0;
  WorkerHandle worker(
      script("echo '{\"alone\": true}'; read may; echo '{\"success\": '\"$may\"'}'; read more"),
      {});
  EXPECT_EQ(*worker.ask(kRequest, {}, [&calls] { ++calls; }).find("success"),
            Value(Value::Map{{"alone", true}}));
  EXPECT_EQ(calls, 1);
}

TEST(WorkerHandle, ReportsHowTheWorkerEnded) {
  EXPECT_EQ(death_of(script("echo first >&2; echo no such memory >&2; exit 3")),
            "the worker process ended with exit code 3; its last line of errors: no such memory");
  EXPECT_EQ(death_of(script("kill -ABRT $$")),
            "the worker process was ended by signal 6 (Aborted)");
  EXPECT_EQ(death_of(script("kill -KILL $$")),
            "the worker process was ended by signal 9 (Killed), which the system does when memory "
            "runs out");
}

TEST(WorkerHandle, ReportsAWorkerThatDoesNotStartOrEndsAtOnce) {
  EXPECT_EQ(death_of({.command = {"sh", "-c", "exit 4"},
                      .memory_limit = 0,
                      .greeting = {},
                      .fingerprint = {},
                      .log = {}}),
            "the worker process ended with exit code 4");
  EXPECT_THROW((void)WorkerHandle({.command = {"/no/such/program"},
                                   .memory_limit = 0,
                                   .greeting = {},
                                   .fingerprint = {},
                                   .log = {}},
                                  {}),
               IoError);
}

TEST(WorkerHandle, KillsAWorkerBeyondItsMemoryLimit) {
  WorkerHandle::Options options =
      script("kept=$(head -c 60000000 /dev/zero | tr '\\0' a); echo \"${#kept}\" >&2; read more");
  options.memory_limit = 20'000'000;
  const std::string death = death_of(options);
  EXPECT_TRUE(death.starts_with("the worker process took ") &&
              death.ends_with(" MB of memory, its limit is 20.0 MB"))
      << death;
}

TEST(WorkerHandle, RefusesAWorkerWithOtherInput) {
  WorkerHandle::Options options = script("read more");
  options.fingerprint = "other";
  EXPECT_THROW((void)WorkerHandle(options, {}), IoError);
}

TEST(WorkerHandle, CancelsAWorkerThatAnswers) {
  const CancellationToken token;
  token.cancel();
  WorkerHandle worker(script("read cancel; echo '{\"cancelled\": true}'; read more"), {});
  EXPECT_THROW((void)worker.ask(kRequest, token, kNothing), Cancelled);
  EXPECT_TRUE(worker.is_alive());
}

TEST(WorkerHandle, KillsACancelledWorkerThatDoesNotAnswer) {
  const CancellationToken token;
  token.cancel();
  WorkerHandle::Options options = script("exec tail -f /dev/null");
  options.grace_seconds = 0.05;
  WorkerHandle worker(options, {});
  EXPECT_THROW((void)worker.ask(kRequest, token, kNothing), Cancelled);
  EXPECT_FALSE(worker.is_alive());
}

}  // namespace
}  // namespace quantsearch
