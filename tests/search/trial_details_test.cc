#include "quantsearch/search/trial_details.h"

#include <gtest/gtest.h>

namespace quantsearch {
namespace {

TEST(TrialDetails, SurviveARoundTripThroughText) {
  const TrialDetails details{
      .scores = {{"L2", 0.5}},
      .size_bytes = 12,
      .float_layers = 3,
      .latency_ms = 0.25,
      .memory_bytes = 123'456'789,
      .ended_at = 1.75e9 + 0.25,
      .stages = {{"observe", {.seconds = 1.5, .cached = true}}},
      .layer_tables = {{"left_float", Value::List{Value::Map{{"node", "conv"}}}}}};
  EXPECT_EQ(details_from(parse_json(to_json(to_value(details)), "details")), details);
}

TEST(TrialDetails, LeaveOutEntriesOfAnotherType) {
  const Value foreign = Value::Map{
      {"scores", "none"}, {"size_bytes", "large"}, {"stages", 3}, {"precision", true}, {"note", 1}};
  EXPECT_EQ(details_from(foreign), TrialDetails{});
  EXPECT_EQ(details_from(Value("not a mapping")), TrialDetails{});
  EXPECT_EQ(details_from(Value::Map{{"scores", Value::Map{{"L2", Value()}}}}), TrialDetails{});
}

}  // namespace
}  // namespace quantsearch
