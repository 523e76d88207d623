#include "quantsearch/search/importance.h"

#include <gtest/gtest.h>

#include "search/problems.h"

namespace quantsearch {
namespace {

Trial trial(std::int64_t number, Point point, double value) {
  Trial made;
  made.number = number;
  made.state = TrialState::complete;
  made.point = std::move(point);
  made.value = value;
  return made;
}

/// The accuracy depends on the bits only; the two methods alternate.
std::vector<Trial> trials() {
  std::vector<Trial> made;
  const std::vector<int> bits = {4, 8, 16};
  for (int t = 0; t < 30; ++t) {
    const int chosen = bits[static_cast<std::size_t>(t % 3)];
    made.push_back(trial(t, {{"bits", chosen}, {"method", t / 3 % 2 == 0 ? "minmax" : "entropy"}},
                         chosen + 0.001 * t));
  }
  return made;
}

TEST(ImportancesOfTrials, NameTheParameterThatMattersFirst) {
  const std::vector<Goal> goals = {Goal::maximize};
  const auto named = importances(trials(), goals);
  ASSERT_EQ(named.size(), 2);
  EXPECT_EQ(named[0].name, "bits");
  EXPECT_GT(named[0].share, 0.7);
  EXPECT_NEAR(named[0].share + named[1].share, 1, 1e-12);
}

TEST(ImportancesOfTrials, EqualThoseOfTheEquivalentObservations) {
  const Domain domain{
      .dimensions = {Categories{.count = 3, .ordered = true}, Categories{.count = 2}}};
  std::vector<Observation> observations;
  for (const Trial& one : trials()) {
    const auto bits = one.point.at("bits").as_int();
    observations.push_back({.number = one.number,
                            .at = {bits == 4   ? 0.0
                                   : bits == 8 ? 1.0
                                               : 2.0,
                                   one.point.at("method").as_string() == "minmax" ? 0.0 : 1.0},
                            .objectives = {-*one.value}});
  }
  const std::vector<Goal> goals = {Goal::maximize};
  const auto named = importances(trials(), goals);
  const auto shares = importances(domain, observations);
  EXPECT_EQ(named[0].share, shares[0]);
  EXPECT_EQ(named[1].share, shares[1]);
}

TEST(ImportancesOfTrials, SortNumericValues) {
  std::vector<Trial> made;
  std::vector<Observation> observations;
  for (int t = 0; t < 40; ++t) {
    const int first = (t * 13) % 40;  // 0, 13, 26, ...: each value once
    const int second = (t * 7) % 40;
    made.push_back(trial(t, {{"x", first / 40.0}, {"y", second / 40.0}}, first));
    observations.push_back({.number = t,
                            .at = {static_cast<double>(first), static_cast<double>(second)},
                            .objectives = {static_cast<double>(first)}});
  }
  const Categories places{.count = 40, .ordered = true};
  const std::vector<Goal> goals = {Goal::minimize};
  const auto named = importances(made, goals);
  EXPECT_EQ(named[0].name, "x");
  EXPECT_EQ(named[0].share, importances(Domain{.dimensions = {places, places}}, observations)[0]);
}

TEST(ImportancesOfTrials, LeaveOutTrialsThatDidNotComplete) {
  const std::vector<Goal> goals = {Goal::maximize};
  auto more = trials();
  more.push_back(trial(31, {{"bits", 4}, {"method", "minmax"}}, 99));
  more.back().state = TrialState::failed;
  EXPECT_EQ(importances(more, goals), importances(trials(), goals));
}

TEST(ImportancesOfTrials, NeedAnObjectivePerGoal) {
  const std::vector<Goal> goals = {Goal::maximize, Goal::minimize};
  EXPECT_EQ(message_of<InvalidInput>([&] { (void)importances(trials(), goals); }),
            "importances: trial 0 has 1 objectives, expected 2, one per goal");
}

}  // namespace
}  // namespace quantsearch
