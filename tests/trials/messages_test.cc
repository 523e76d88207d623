#include "trials/messages.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace quantsearch {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Returns the message as it arrives.
Value sent(const Value& message) { return parse_json(to_json(message), "a message"); }

TEST(TrialMessages, ASuccessArrivesUnchanged) {
  const TrialSuccess success{.value = 0.1,
                             .is_candidate = true,
                             .details = Value::Map{{"size_bytes", 5}},
                             .objectives = {0.1, 1e-300},
                             .constraints = {-kInfinity, 0}};
  const auto outcome = outcome_of(sent(message_of(success)));
  const auto& back = std::get<TrialSuccess>(outcome.value());
  EXPECT_EQ(back.value, success.value);
  EXPECT_EQ(back.is_candidate, true);
  EXPECT_EQ(back.details, success.details);
  EXPECT_EQ(back.objectives, success.objectives);
  EXPECT_EQ(back.constraints, success.constraints);
}

TEST(TrialMessages, APrunedAndAFailedTrialArriveUnchanged) {
  const auto pruned = outcome_of(
      sent(message_of(TrialPruned{.value = std::nan(""), .reason = "slow", .details = {}})));
  EXPECT_TRUE(std::isnan(std::get<TrialPruned>(pruned.value()).value.value()));
  EXPECT_EQ(std::get<TrialPruned>(pruned.value()).reason, "slow");
  const auto without_value = outcome_of(
      sent(message_of(TrialPruned{.value = std::nullopt, .reason = "useless", .details = {}})));
  EXPECT_FALSE(std::get<TrialPruned>(without_value.value()).value.has_value());
  const auto failed =
      outcome_of(sent(message_of(TrialFailure{.reason = "a \"word\"\nmore", .details = {}})));
  EXPECT_EQ(std::get<TrialFailure>(failed.value()).reason, "a \"word\"\nmore");
}

TEST(TrialMessages, ATrialToRebuildArrivesWithTheDataOfItsModel) {
  Trial trial;
  trial.number = 7;
  trial.state = TrialState::complete;
  trial.point = {{"bits", 8}};
  trial.details = Value::Map{{"left_float", Value::List{Value::Map{{"node", "conv"}}}}};
  EXPECT_EQ(trial_of(sent(reference_to(trial))), trial);
}

TEST(TrialMessages, OtherMessagesAreNoOutcome) {
  EXPECT_FALSE(outcome_of(Value::Map{{"cancelled", true}}));
}

TEST(TrialMessages, ScoresArriveUnchanged) {
  Scores scores;
  scores.metrics = {{"L2", 0.0}, {"sqnr", kInfinity}};
  scores.size_bytes = 1'000'000'000'000;
  scores.latency = Latency{.median_ms = 0.1};
  const Scores back = scores_of(sent(value_of(scores)));
  EXPECT_EQ(back.metrics, scores.metrics);
  EXPECT_EQ(back.size_bytes, scores.size_bytes);
  EXPECT_EQ(back.latency->median_ms, 0.1);
  scores.latency.reset();
  EXPECT_FALSE(scores_of(sent(value_of(scores))).latency);
}

TEST(TrialMessages, PointsArriveUnchanged) {
  const Point point = {{"a", 1e-7}, {"b", Value::List{1, "x"}}, {"c", true}, {"d", "QInt8"}};
  EXPECT_EQ(point_of(sent(value_of(point))), point);
}

}  // namespace
}  // namespace quantsearch
