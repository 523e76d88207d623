#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <new>

#include "search/problems.h"

namespace quantsearch {
namespace {

/// A clock that advances only through pass().
struct FakeClock {
  Clock::time_point time = Clock::now();
  void pass(double seconds) {
    time += std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  }
};

/// The value of the trial is x; trials with x below 3 are candidates.
TrialOutcome value_is_x(const TrialRequest& request) {
  const double x = request.point.at("x").as_double();
  return TrialSuccess{.value = x, .is_candidate = x < 3, .details = Value::Map{{"x", x}}};
}

Study run(int size, const Objective& objective, const SearchOptions& options) {
  const auto sampler = grid_sampler(line_space(size), keep_all, one_second);
  const auto store = in_memory_store();
  Study study = optimize(*sampler, objective, options, *store);
  return study;
}

TEST(Optimize, RunsEveryPointAndFindsTheBest) {
  const Study study = run(5, value_is_x, {});
  ASSERT_EQ(study.trials.size(), 5U);
  EXPECT_EQ(study.trials[4].number, 4);
  EXPECT_EQ(to_string(study.trials[4].point), "x=4");
  EXPECT_EQ(study.trials[4].state, TrialState::complete);
  EXPECT_EQ(study.trials[4].value, 4);
  EXPECT_EQ(*study.trials[4].details.find("x"), Value(4));
  EXPECT_EQ(study.best, 0);
  EXPECT_EQ(study.candidates, (std::vector<std::int64_t>{0, 1, 2}));
  EXPECT_EQ(study.stop_reason, StopReason::space_exhausted);
  EXPECT_EQ(study.stop_message, "space exhausted: all 5 points tried");
}

TEST(Optimize, MaximizesWhenAsked) {
  SearchOptions options;
  options.goal = Goal::maximize;
  const Study study = run(5, value_is_x, options);
  EXPECT_EQ(study.best, 2) << "the best of the candidates";
  EXPECT_EQ(study.candidates, (std::vector<std::int64_t>{2, 1, 0}));
}

TEST(Optimize, AFailedTrialIsRecordedAndTheSearchGoesOn) {
  const auto objective = [](const TrialRequest& request) -> TrialOutcome {
    switch (request.number) {
      case 0:
        return TrialFailure{.reason = "diverged", .details = Value::Map{{"step", 3}}};
      case 1:
        throw Unsupported("no such kernel");
      case 2:
        throw std::bad_alloc();
      case 3:
        throw std::runtime_error("a user's evaluator");
      case 4:
        return TrialSuccess{
            .value = std::numeric_limits<double>::quiet_NaN(), .is_candidate = true, .details = {}};
      case 5:
        return TrialSuccess{
            .value = std::numeric_limits<double>::infinity(), .is_candidate = true, .details = {}};
      default:
        return value_is_x(request);
    }
  };
  const Study study = run(7, objective, {});
  const std::vector<std::string> reasons = {"diverged",
                                            "no such kernel",
                                            "out of memory",
                                            "a user's evaluator",
                                            "the objective is nan, expected a finite number",
                                            "the objective is inf, expected a finite number"};
  ASSERT_EQ(study.trials.size(), 7U);
  for (std::size_t i = 0; i < reasons.size(); ++i) {
    EXPECT_EQ(study.trials[i].state, TrialState::failed);
    EXPECT_EQ(study.trials[i].reason, reasons[i]);
    EXPECT_EQ(study.trials[i].value, std::nullopt);
    EXPECT_FALSE(study.trials[i].is_candidate);
  }
  EXPECT_EQ(*study.trials[0].details.find("step"), Value(3));
  EXPECT_EQ(study.best, 6);
  EXPECT_TRUE(study.candidates.empty());
}

TEST(Optimize, TheObjectiveGetsTheIncumbentAndTheCallerTheProduct) {
  std::vector<std::optional<std::int64_t>> incumbents;
  const auto objective = [&](const TrialRequest& request) -> TrialOutcome {
    incumbents.push_back(request.incumbent ? std::optional(request.incumbent->number)
                                           : std::nullopt);
    if (request.number == 1) return TrialFailure{.reason = "no", .details = {}};
    return TrialSuccess{.value = -static_cast<double>(request.number),
                        .details = {},
                        .product = std::make_shared<const std::int64_t>(request.number)};
  };
  std::vector<std::int64_t> products;
  SearchOptions options;
  options.on_trial = [&](const Trial& /*trial*/, const TrialProduct& product) {
    products.push_back(product == nullptr ? -1
                                          : *std::static_pointer_cast<const std::int64_t>(product));
  };
  (void)run(4, objective, options);
  EXPECT_EQ(incumbents, (std::vector<std::optional<std::int64_t>>{std::nullopt, 0, 0, 2}));
  EXPECT_EQ(products, (std::vector<std::int64_t>{0, -1, 2, 3}));
}

TEST(Optimize, AStudyWhoseTrialsAllFailHasNoBest) {
  const auto objective = [](const TrialRequest& /*request*/) -> TrialOutcome {
    return TrialFailure{.reason = "no", .details = {}};
  };
  const Study study = run(3, objective, {});
  EXPECT_EQ(study.trials.size(), 3U);
  EXPECT_EQ(study.best, std::nullopt);
}

TEST(Optimize, ACountStopsTheSearchBetweenTrials) {
  SearchOptions options;
  options.stop.iteration_limit = 3;
  Study study = run(10, value_is_x, options);
  EXPECT_EQ(study.trials.size(), 3U);
  EXPECT_EQ(study.stop_reason, StopReason::iteration_limit);
  EXPECT_EQ(study.stop_message, "iteration limit reached: 3 of 3 trials");

  options.stop = {};
  options.stop.find_n_candidates = 2;
  study = run(10, value_is_x, options);
  EXPECT_EQ(study.trials.size(), 2U);
  EXPECT_EQ(study.stop_message, "enough candidates found: 2 of 2");

  options.stop = {};
  options.stop.find_best_candidate = 4;  // trial 0 is the best
  study = run(10, value_is_x, options);
  EXPECT_EQ(study.trials.size(), 5U);
  EXPECT_EQ(study.stop_message, "no improvement on trial 0 for 4 of 4 complete trials");
}

TEST(Optimize, ALimitEqualToTheSizeOfTheSpaceIsTheStopReason) {
  SearchOptions options;
  options.stop.iteration_limit = 5;
  EXPECT_EQ(run(5, value_is_x, options).stop_reason, StopReason::iteration_limit);
  options.stop.iteration_limit = 6;
  EXPECT_EQ(run(5, value_is_x, options).stop_reason, StopReason::space_exhausted);
}

TEST(Optimize, TheTimeLimitStopsTheSearchBetweenTrials) {
  FakeClock clock;
  SearchOptions options;
  options.now = [&clock] { return clock.time; };
  options.stop.time_limit_seconds = 3000;
  const auto objective = [&](const TrialRequest& request) {
    clock.pass(1000);
    return value_is_x(request);
  };
  const Study study = run(10, objective, options);
  EXPECT_EQ(study.trials.size(), 3U);
  EXPECT_EQ(study.trials[1].seconds, 1000);
  EXPECT_EQ(study.seconds, 3000);
  EXPECT_EQ(study.stop_reason, StopReason::time_limit);
  EXPECT_EQ(study.stop_message, "time limit reached: 3000.0 of 3000 s");
}

/// Runs until its token ends it.
TrialOutcome never_ends(const CancellationToken& token) {
  while (true) token.throw_if_cancelled();
}

TEST(Optimize, TheTimeLimitEndsTheRunningTrial) {
  SearchOptions options;
  options.stop.time_limit_seconds = 0.01;
  std::vector<Trial> seen;
  options.on_trial = [&](const Trial& trial, const TrialProduct&) { seen.push_back(trial); };
  const auto sampler = grid_sampler(line_space(10), keep_all, one_second);
  const auto store = in_memory_store();
  const Study study = optimize(
      *sampler, [](const TrialRequest& request) { return never_ends(request.token); }, options,
      *store);
  ASSERT_EQ(study.trials.size(), 1U);
  EXPECT_EQ(study.trials[0].state, TrialState::interrupted);
  EXPECT_TRUE(study.trials[0].reason.starts_with("the search's time limit of 0.01 s came after "))
      << study.trials[0].reason;
  EXPECT_EQ(study.stop_reason, StopReason::time_limit);
  EXPECT_TRUE(study.stop_message.starts_with("time limit reached: ")) << study.stop_message;
  EXPECT_EQ(seen, study.trials);
  EXPECT_TRUE(store->load().empty());  // the next search runs it again
}

TEST(Optimize, TheFirstTrialsHaveTheTimeTheyNeed) {
  FakeClock clock;
  SearchOptions options;
  options.now = [&clock] { return clock.time; };
  options.stop.time_limit_seconds = 10;
  options.stop.least_trials = 2;
  const auto objective = [&](const TrialRequest& request) {
    clock.pass(1000);
    request.token.throw_if_cancelled();
    return value_is_x(request);
  };
  const Study study = run(10, objective, options);
  EXPECT_EQ(study.trials.size(), 2U);
  EXPECT_EQ(study.trials[1].state, TrialState::complete);
  EXPECT_EQ(study.stop_reason, StopReason::time_limit);
}

TEST(Optimize, TheTimeLimitCountsFromTheGivenStart) {
  FakeClock clock;
  SearchOptions options;
  options.now = [&clock] { return clock.time; };
  options.start = clock.time;
  options.stop.time_limit_seconds = 3000;
  clock.pass(1500);
  const auto objective = [&](const TrialRequest& request) {
    clock.pass(1000);
    return value_is_x(request);
  };
  const Study study = run(10, objective, options);
  EXPECT_EQ(study.trials.size(), 2U);
  EXPECT_EQ(study.stop_message, "time limit reached: 3500.0 of 3000 s");
}

TEST(Optimize, ALongTrialIsInterruptedAndTheSearchGoesOn) {
  FakeClock clock;
  SearchOptions options;
  options.now = [&clock] { return clock.time; };
  options.stop.trial_time_limit_seconds = 5;
  const auto store = in_memory_store();
  const auto sampler = grid_sampler(line_space(3), keep_all, one_second);
  const auto objective = [&](const TrialRequest& request) {
    if (request.number != 1) return value_is_x(request);
    clock.pass(7);
    throw Cancelled();
  };
  const Study study = optimize(*sampler, objective, options, *store);
  ASSERT_EQ(study.trials.size(), 3U);
  EXPECT_EQ(study.trials[1].state, TrialState::interrupted);
  EXPECT_EQ(study.trials[1].reason, "took longer than the trial time limit: 7.0 of 5 s");
  EXPECT_EQ(study.trials[2].state, TrialState::complete);
  EXPECT_EQ(study.stop_reason, StopReason::space_exhausted);
  EXPECT_EQ(store->load(), study.trials);
}

TEST(Optimize, TheTrialTimeLimitReachesTheObjectiveThroughItsToken) {
  SearchOptions options;
  options.stop.trial_time_limit_seconds = 0.01;
  const Study study = run(
      2, [](const TrialRequest& request) { return never_ends(request.token); }, options);
  ASSERT_EQ(study.trials.size(), 2U);
  EXPECT_EQ(study.trials[1].state, TrialState::interrupted);
  EXPECT_TRUE(study.trials[1].reason.starts_with("took longer than the trial time limit: "))
      << study.trials[1].reason;
}

TEST(Optimize, AnObjectiveThatCancelsItselfIsInterrupted) {
  const auto objective = [](const TrialRequest& /*request*/) -> TrialOutcome { throw Cancelled(); };
  const Study study = run(2, objective, {});
  ASSERT_EQ(study.trials.size(), 2U);
  EXPECT_EQ(study.trials[0].reason, "cancelled by the objective itself");
  EXPECT_EQ(study.best, std::nullopt);
}

TEST(Optimize, CancellationEndsTheRunningTrialAndTheSearch) {
  SearchOptions options;
  FakeClock clock;
  options.now = [&clock] { return clock.time; };
  const auto objective = [&](const TrialRequest& request) {
    clock.pass(2);
    if (request.number == 2) options.token.cancel();
    request.token.throw_if_cancelled();
    return value_is_x(request);
  };
  const Study study = run(10, objective, options);
  ASSERT_EQ(study.trials.size(), 3U);
  EXPECT_EQ(study.trials[2].state, TrialState::interrupted);
  EXPECT_EQ(study.trials[2].reason, "the search was cancelled after 2.0 s of it");
  EXPECT_EQ(study.stop_reason, StopReason::cancelled);
  EXPECT_EQ(study.stop_message, "cancelled after 2 trials and 6.0 s");
  EXPECT_EQ(study.best, 0);
}

TEST(Optimize, ACancelledTokenRunsNothing) {
  SearchOptions options;
  options.token.cancel();
  const Study study = run(10, value_is_x, options);
  EXPECT_TRUE(study.trials.empty());
  EXPECT_EQ(study.stop_reason, StopReason::cancelled);
}

TEST(Optimize, AResultReturnedAfterCancellationCounts) {
  SearchOptions options;
  const auto objective = [&](const TrialRequest& request) {
    options.token.cancel();
    return value_is_x(request);
  };
  const Study study = run(10, objective, options);
  ASSERT_EQ(study.trials.size(), 1U);
  EXPECT_EQ(study.trials[0].state, TrialState::complete);
  EXPECT_EQ(study.stop_reason, StopReason::cancelled);
}

TEST(Optimize, HooksAreCalledInOrder) {
  SearchOptions options;
  std::vector<std::string> events;
  options.on_start = [&](std::int64_t number, const Point& point) {
    events.push_back("start " + std::to_string(number) + " " + to_string(point));
  };
  options.on_trial = [&](const Trial& trial, const TrialProduct&) {
    events.push_back("end " + std::to_string(trial.number));
  };
  (void)run(2, value_is_x, options);
  EXPECT_EQ(events, (std::vector<std::string>{"start 0 x=0", "end 0", "start 1 x=1", "end 1"}));
}

TEST(Optimize, AnEmptySpaceIsExhaustedAtOnce) {
  const auto never = [](const Point&) -> std::variant<Point, Rejected> {
    return Rejected{"never"};
  };
  const auto sampler = grid_sampler(line_space(3), never, one_second);
  const auto store = in_memory_store();
  const Study study = optimize(*sampler, value_is_x, {}, *store);
  EXPECT_TRUE(study.trials.empty());
  EXPECT_EQ(study.stop_message, "space exhausted: all 0 points tried");
}

TEST(Optimize, LimitsBeyondTheRangeOfTheClockAreIgnored) {
  SearchOptions options;
  options.stop.time_limit_seconds = 1e300;
  options.stop.trial_time_limit_seconds = std::numeric_limits<double>::infinity();
  EXPECT_EQ(run(3, value_is_x, options).stop_reason, StopReason::space_exhausted);
}

TEST(Optimize, BadStopConditionsRunNothing) {
  SearchOptions options;
  options.stop.iteration_limit = 0;
  EXPECT_EQ(message_of<InvalidInput>([&] { (void)run(3, value_is_x, options); }),
            "search: stop condition 'iteration_limit' is 0, expected at least 1");
}

}  // namespace
}  // namespace quantsearch
