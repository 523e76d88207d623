#include "storage/trial_record.h"

#include <gtest/gtest.h>

#include "storage/place.h"

namespace quantsearch {
namespace {

const std::map<std::string, Distribution> kSpace = {
    {"method", std::vector<Value>{"MinMax", "MinMSE"}},
    {"percentile", FloatRange{.low = 99, .high = 100}}};

TEST(TrialRecords, RestoreTrialsInEveryState) {
  const TrialRecords records(example_description().distributions, "\"w\"");
  for (Trial trial : example_trials()) {
    const auto read = records.read(records.finished(trial));
    trial.number = 0;
    ASSERT_TRUE(read.has_value()) << records.finished(trial);
    EXPECT_EQ(read->trial, trial);
    EXPECT_FALSE(read->is_abridged);
    const auto running = records.read(records.running(trial.point));
    ASSERT_TRUE(running.has_value());
    EXPECT_EQ(running->trial.point, trial.point);
    EXPECT_EQ(running->trial.state, TrialState::running);
  }
}

TEST(TrialRecords, HaveNumbersForValuesAndTheWorkerFirst) {
  const TrialRecords records(kSpace, "\"w\"");
  const std::string record = records.running({{"method", "MinMSE"}});
  EXPECT_TRUE(record.starts_with(records.own_beginning()));
  EXPECT_TRUE(record.ends_with(",[1.0,null]]")) << record;
}

TEST(TrialRecords, LeaveOutLongDetailsAndSaySo) {
  const TrialRecords records(kSpace, "\"w\"");
  Trial trial{.state = TrialState::complete, .point = {}, .value = 1, .reason = {}, .details = {}};
  trial.details = Value::Map{{"rows", std::string(2000, 'x')}, {"size_bytes", 3}};
  const auto read = records.read(records.finished(trial));
  ASSERT_TRUE(read.has_value());
  EXPECT_TRUE(read->is_abridged);
  EXPECT_EQ(read->trial.details, Value(Value::Map{{"size_bytes", 3}}));
}

TEST(TrialRecords, ReadOnlyRecordsOfTheirSpace) {
  const TrialRecords records(kSpace, "\"w\"");
  auto other_choices = kSpace;
  other_choices["method"] = std::vector<Value>{"MinMSE", "MinMax"};
  auto other_bounds = kSpace;
  other_bounds["percentile"] = FloatRange{.low = 0, .high = 100};
  const std::string record = records.running({{"percentile", 99.5}});
  EXPECT_TRUE(TrialRecords(other_bounds, "\"v\"").read(record).has_value());
  EXPECT_FALSE(TrialRecords(other_choices, "\"v\"").read(record).has_value());
  for (const char* text : {"", "\"w\"", "[", "[]", "[\"w\",null]", "{\"w\":1}"})
    EXPECT_FALSE(records.read(text).has_value()) << text;
  for (std::size_t size = 0; size < record.size(); ++size)
    EXPECT_FALSE(records.read(record.substr(0, size)).has_value()) << size;
}

TEST(TrialRecords, APointOutsideOfTheSpaceHasNoRecord) {
  const TrialRecords records(kSpace, "\"w\"");
  const std::string record = records.running({{"gone", 1}});
  EXPECT_EQ(record, "[\"w\",null]");
  EXPECT_FALSE(records.read(record).has_value());
}

}  // namespace
}  // namespace quantsearch
