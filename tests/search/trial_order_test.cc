#include "quantsearch/search/trial_order.h"

#include <gtest/gtest.h>

#include <functional>

#include "quantsearch/search/trial_details.h"
#include "search/problems.h"

namespace quantsearch {
namespace {

Trial changed(Trial trial, const std::function<void(Trial&)>& change) {
  change(trial);
  return trial;
}

/// Expects that each trial comes before the next one, and that the next does not come before it.
void expect_in_order(const std::vector<Trial>& trials, Ranking ranking) {
  const TrialOrder order(ranking);
  for (std::size_t i = 0; i < trials.size(); ++i) {
    for (std::size_t j = 0; j < trials.size(); ++j)
      EXPECT_EQ(order(trials[i], trials[j]), i < j) << i << " and " << j;
  }
}

TEST(TrialOrder, ComparesLimitsThenToleranceThenValue) {
  const auto candidate = [](Trial& trial) { trial.is_candidate = true; };
  const auto infeasible = [](Trial& trial) { trial.constraints = {-1, 0.5}; };
  const auto failed = [](Trial& trial) { trial.state = TrialState::failed; };
  expect_in_order({changed(complete(5, 0.3), candidate), changed(complete(4, 0.4), candidate),
                   complete(3, 0.1), complete(2, 0.2), changed(complete(1, 0.01), infeasible),
                   changed(complete(0, 0.001), failed)},
                  Goal::minimize);
}

TEST(TrialOrder, FollowsTheGoal) {
  expect_in_order({complete(0, 0.9), complete(1, 0.8)}, Goal::maximize);
  expect_in_order({complete(1, 0.8), complete(0, 0.9)}, Goal::minimize);
}

TEST(TrialOrder, BreaksTiesByFloatLayersThenBytesThenPoint) {
  const auto with = [](std::int64_t number, std::int64_t layers, std::int64_t bytes,
                       const char* type) {
    return changed(complete(number, 1), [&](Trial& trial) {
      trial.details = Value::Map{{"float_layers", layers}, {"size_bytes", bytes}};
      trial.point = {{"activation_type", type}};
    });
  };
  expect_in_order({with(4, 0, 90, "QUInt8"), with(3, 1, 10, "QUInt8"), with(1, 1, 20, "QInt8"),
                   with(0, 1, 20, "QUInt8"), with(2, 1, 20, "QUInt8")},
                  Goal::minimize);
  EXPECT_FALSE(
      TrialOrder(Goal::minimize).improves(with(4, 0, 90, "QUInt8"), with(3, 1, 10, "QUInt8")));
}

struct Measured {
  double value = 0;
  double ratio = 0;  // with an interval of 1 % to both sides
  std::int64_t bytes = 0;
  std::int64_t conversions = 0;
  bool is_candidate = true;
};

Trial measured(std::int64_t number, const Measured& as) {
  return changed(complete(number, as.value), [&as](Trial& trial) {
    trial.is_candidate = as.is_candidate;
    trial.details = to_value(TrialDetails{
        .size_bytes = as.bytes,
        .latency_ratio =
            LatencyRatio{.ratio = as.ratio, .low = 0.99 * as.ratio, .high = 1.01 * as.ratio},
        .conversions = as.conversions});
  });
}

TEST(TrialOrder, TheSmallestIsTheCandidateWithTheFewestBytes) {
  expect_in_order({measured(0, {.value = 3, .ratio = 2, .bytes = 10}),
                   measured(1, {.value = 1, .ratio = 0.5, .bytes = 20}),
                   measured(2, {.value = 2, .ratio = 0.4, .bytes = 20}),
                   measured(3, {.value = 1, .ratio = 1, .bytes = 5, .is_candidate = false})},
                  {Goal::minimize, SearchGoal::smallest});
}

TEST(TrialOrder, TheFastestIsTheCandidateWithTheLeastLatency) {
  expect_in_order({measured(0, {.value = 3, .ratio = 0.5, .bytes = 30}),
                   measured(1, {.value = 1, .ratio = 0.6, .bytes = 20}),
                   measured(2, {.value = 0, .ratio = 0.1, .bytes = 1, .is_candidate = false})},
                  {Goal::minimize, SearchGoal::fastest});
}

TEST(TrialOrder, OfEquallyFastCandidatesTheOneWithFewerConversionsIsBetterThenTheValue) {
  expect_in_order({measured(2, {.value = 3, .ratio = 0.502, .conversions = 4}),
                   measured(1, {.value = 1, .ratio = 0.5, .conversions = 6}),
                   measured(0, {.value = 2, .ratio = 0.498, .conversions = 6})},
                  {Goal::minimize, SearchGoal::fastest});
}

TEST(TrialOrder, WhereNoneIsFasterThanFloatTheSmallestIsBest) {
  // The interval of 0.995 holds 1, so it is no gain.
  expect_in_order({measured(0, {.value = 3, .ratio = 1.4, .bytes = 10}),
                   measured(1, {.value = 1, .ratio = 0.995, .bytes = 20}),
                   measured(2, {.value = 2, .ratio = 1.1, .bytes = 20})},
                  {Goal::minimize, SearchGoal::fastest});
}

TEST(SearchGoal, HasNames) {
  for (const char* name : {"most_accurate", "fastest", "smallest"})
    EXPECT_EQ(to_string(parse_search_goal(name)), name);
  try {
    (void)parse_search_goal("fastes");
    FAIL() << "nothing was thrown";
  } catch (const InvalidInput& error) {
    EXPECT_STREQ(error.what(), "unknown goal 'fastes'; nearest known: 'fastest'");
  }
}

TEST(TrialOrder, RanksCompleteTrialsOnly) {
  const std::vector<Trial> trials = {
      complete(0, 3),
      changed(complete(1, 1), [](Trial& trial) { trial.state = TrialState::pruned; }),
      complete(2, 2)};
  std::vector<std::int64_t> numbers;
  for (const Trial* trial : ranked(trials, Goal::minimize)) numbers.push_back(trial->number);
  EXPECT_EQ(numbers, (std::vector<std::int64_t>{2, 0}));
}

}  // namespace
}  // namespace quantsearch
