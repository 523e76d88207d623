#include "quantsearch/search/trial_order.h"

#include <gtest/gtest.h>

#include <functional>

#include "search/problems.h"

namespace quantsearch {
namespace {

Trial changed(Trial trial, const std::function<void(Trial&)>& change) {
  change(trial);
  return trial;
}

/// Expects that each trial comes before the next one, and that the next does not come before it.
void expect_in_order(const std::vector<Trial>& trials, Goal goal) {
  const TrialOrder order(goal);
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
