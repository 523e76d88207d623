#include <gtest/gtest.h>

#include <cmath>

#include "quantsearch/base/error.h"
#include "quantsearch/optimizers/importance.h"
#include "support/messages.h"

namespace quantsearch {
namespace {

/// Expected shares in the order of the dimensions, given to ten digits.
void expect_shares(const std::vector<double>& shares, const std::vector<double>& expected) {
  ASSERT_EQ(shares.size(), expected.size());
  for (std::size_t i = 0; i < shares.size(); ++i) EXPECT_NEAR(shares[i], expected[i], 1e-8) << i;
}

/// The dimensions are x = t / 12 and t mod 2; 1 - (x - 0.5)^2 is maximised.
std::vector<Observation> parabola() {
  std::vector<Observation> observations;
  for (int t = 0; t < 12; ++t) {
    const double x = t / 12.0;
    observations.push_back({.number = t,
                            .at = {x, static_cast<double>(t % 2)},
                            .objectives = {(x - 0.5) * (x - 0.5) - 1}});
  }
  return observations;
}

const Domain kParabola{.dimensions = {FloatRange{.low = 0, .high = 1}, Categories{.count = 2}}};

const Domain kMixed{
    .dimensions = {IntRange{.low = 0, .high = 20}, IntRange{.low = 1, .high = 1000, .log = true},
                   FloatRange{.low = 1e-5, .high = 1, .log = true},
                   FloatRange{.low = 0, .high = 2, .step = 0.25}, Categories{.count = 3}}};

std::vector<Observation> mixed_history() {
  std::vector<Observation> observations;
  for (int t = 0; t < 40; ++t) {
    const double i = (7 * t) % 20;
    const double log_int = 1 + (t * t * 13) % 1000;
    const double log_float = std::pow(10, -5 + 5 * ((t * 11) % 40) / 40.0);
    const double stepped = 0.25 * ((t * 3) % 9);
    const double name = (t * 5) % 3;
    const double loss = std::abs(i - 5) / 10 + std::abs(std::log10(log_float) + 3) + 0.3 * name +
                        std::abs(stepped - 1) / 4;
    observations.push_back(
        {.number = t, .at = {i, log_int, log_float, stepped, name}, .objectives = {loss}});
  }
  return observations;
}

// The values of the next four tests were computed with Optuna 5.0.0 (PedAnovaImportanceEvaluator).
TEST(Importances, AreThoseOfTheReferenceForAParabola) {
  expect_shares(importances(kParabola, parabola()), {0.9725168405, 0.0274831595});
}

TEST(Importances, AreThoseOfTheReferenceForEveryKindOfDimension) {
  expect_shares(importances(kMixed, mixed_history()),
                {0.2071734518, 0.0919874385, 0.6235890599, 0.0223452526, 0.0549047971});
}

TEST(Importances, AreThoseOfTheReferenceForConditionalDimensions) {
  auto observations = mixed_history();
  for (Observation& one : observations)
    if (one.at[4] != 1) one.at[0] = one.at[1] = kInactive;
  expect_shares(importances(kMixed, observations),
                {0.2776252832, 0.1060826356, 0.5483612348, 0.0196495915, 0.0482812549});
}

TEST(Importances, AreThoseOfTheReferenceForTwoObjectives) {
  auto observations = mixed_history();
  for (Observation& one : observations)
    one.objectives.push_back(std::abs(one.at[0] - 15) / 10 + std::abs(std::log(one.at[1])) / 5);
  expect_shares(importances(kMixed, observations),
                {0.212054156, 0.1696245058, 0.5493279407, 0.0558497438, 0.0131436537});
}

TEST(Importances, ForOneOfTwoObjectivesIgnoreTheOther) {
  auto observations = mixed_history();
  for (Observation& one : observations) one.objectives.insert(one.objectives.begin(), -one.at[3]);
  EXPECT_EQ(importances(kMixed, observations, {.objective = 1}),
            importances(kMixed, mixed_history()));
}

TEST(Importances, LeaveOutIncompleteTrials) {
  auto observations = parabola();
  observations.push_back({.number = 12, .at = {0, 0}, .outcome = Outcome::failed});
  observations.push_back(
      {.number = 13, .at = {0, 0}, .outcome = Outcome::pruned, .objectives = {-9}});
  EXPECT_EQ(importances(kParabola, observations), importances(kParabola, parabola()));
}

TEST(Importances, RankInfeasibleTrialsLast) {
  std::vector<Observation> infeasible;
  std::vector<Observation> bad;
  for (int t = 0; t < 40; ++t) {
    const bool odd = t % 2 == 1;
    Observation one{.number = t,
                    .at = {t / 40.0, odd ? 1.0 : 0.0},
                    .objectives = {odd ? -10 : t / 100.0},
                    .constraints = {odd ? 1.0 : -1.0}};
    infeasible.push_back(one);
    one.objectives = {odd ? 10 : t / 100.0};
    one.constraints = {};
    bad.push_back(one);
  }
  EXPECT_EQ(importances(kParabola, infeasible), importances(kParabola, bad));
}

TEST(Importances, AreEqualWhenTrialsCannotBeDistinguished) {
  const std::vector<double> equal = {0.5, 0.5};
  EXPECT_EQ(importances(kParabola, {}), equal);
  EXPECT_EQ(importances(kParabola, std::vector<Observation>(1, parabola()[0])), equal);
  auto same = parabola();
  for (Observation& one : same) one.objectives = {3};
  EXPECT_EQ(importances(kParabola, same), equal);
}

TEST(Importances, AreZeroForADimensionWithOneValue) {
  auto observations = parabola();
  for (Observation& one : observations) one.at[1] = 0;
  const Domain single{.dimensions = {FloatRange{.low = 0, .high = 1}, Categories{.count = 1}}};
  EXPECT_EQ(importances(single, observations), (std::vector<double>{1, 0}));
}

TEST(Importances, NameInvalidOptionsAndObservations) {
  auto observations = parabola();
  const auto with = [&](const ImportanceOptions& options) {
    return message_of<InvalidInput>([&] { (void)importances(kParabola, observations, options); });
  };
  EXPECT_EQ(with({.best_share = 1}), "importances: got a share of 1, expected one between 0 and 1");
  EXPECT_EQ(with({.objective = 1}), "importances: got objective 1, expected one below 1");
  observations[4].objectives = {1, 2};
  EXPECT_EQ(with({}), "importances: trial 4 has 2 objectives, trial 0 has 1");
  observations[4].objectives = {1};
  observations[5].at = {1};
  EXPECT_EQ(with({}), "importances: trial 5 has 1 dimensions, the domain has 2");
}

}  // namespace
}  // namespace quantsearch
