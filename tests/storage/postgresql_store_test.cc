// Tests of studies on a server that do not apply to files.

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <thread>

#include "quantsearch/base/error.h"
#include "storage/place.h"

namespace quantsearch {
namespace {

class PostgresqlStore : public ::testing::Test {
 protected:
  void SetUp() override {
    if (place_ == nullptr) GTEST_SKIP() << "no PostgreSQL server can be started here";
  }
  std::unique_ptr<Place> place_ = new_place();
};

// Columns of a database that Optuna 4.9.0 created (5.0.0 creates the same ones).
TEST_F(PostgresqlStore, HasExactlyOptunasSchema) {
  (void)place_->open(example_description());
  const std::vector<std::string> columns = place_->rows(
      "SELECT CAST(table_name || '.' || column_name || ' ' || udt_name || CASE is_nullable WHEN "
      "'NO' "
      "THEN ' NN' ELSE '' END || COALESCE(' ' || character_maximum_length, '') AS TEXT) FROM "
      "information_schema.columns WHERE table_schema = current_schema() ORDER BY table_name, "
      "ordinal_position");
  const std::vector<std::string> expected{
      "alembic_version.version_num varchar NN 32",
      "studies.study_id int4 NN",
      "studies.study_name varchar NN 512",
      "study_directions.study_direction_id int4 NN",
      "study_directions.direction studydirection NN",
      "study_directions.study_id int4 NN",
      "study_directions.objective int4 NN",
      "study_system_attributes.study_system_attribute_id int4 NN",
      "study_system_attributes.study_id int4",
      "study_system_attributes.key varchar 512",
      "study_system_attributes.value_json text",
      "study_user_attributes.study_user_attribute_id int4 NN",
      "study_user_attributes.study_id int4",
      "study_user_attributes.key varchar 512",
      "study_user_attributes.value_json text",
      "trial_heartbeats.trial_heartbeat_id int4 NN",
      "trial_heartbeats.trial_id int4 NN",
      "trial_heartbeats.heartbeat timestamp NN",
      "trial_intermediate_values.trial_intermediate_value_id int4 NN",
      "trial_intermediate_values.trial_id int4 NN",
      "trial_intermediate_values.step int4 NN",
      "trial_intermediate_values.intermediate_value float8",
      "trial_intermediate_values.intermediate_value_type trialintermediatevaluetype NN",
      "trial_params.param_id int4 NN",
      "trial_params.trial_id int4",
      "trial_params.param_name varchar 512",
      "trial_params.param_value float8",
      "trial_params.distribution_json text",
      "trial_system_attributes.trial_system_attribute_id int4 NN",
      "trial_system_attributes.trial_id int4",
      "trial_system_attributes.key varchar 512",
      "trial_system_attributes.value_json text",
      "trial_user_attributes.trial_user_attribute_id int4 NN",
      "trial_user_attributes.trial_id int4",
      "trial_user_attributes.key varchar 512",
      "trial_user_attributes.value_json text",
      "trial_values.trial_value_id int4 NN",
      "trial_values.trial_id int4 NN",
      "trial_values.objective int4 NN",
      "trial_values.value float8",
      "trial_values.value_type trialvaluetype NN",
      "trials.trial_id int4 NN",
      "trials.number int4",
      "trials.study_id int4",
      "trials.state trialstate NN",
      "trials.datetime_start timestamp",
      "trials.datetime_complete timestamp",
      "version_info.version_info_id int4 NN",
      "version_info.schema_version int4",
      "version_info.library_version varchar 256"};
  EXPECT_EQ(columns, expected);
  EXPECT_EQ(place_->rows("SELECT CAST(indexname AS TEXT) FROM pg_indexes WHERE schemaname = "
                         "current_schema() AND indexname LIKE 'ix_%' ORDER BY 1"),
            (std::vector<std::string>{"ix_studies_study_name", "ix_trials_study_id"}));
  EXPECT_EQ(place_->rows("SELECT * FROM version_info"),
            std::vector<std::string>{"1|12|quantsearch"});
  EXPECT_EQ(place_->rows("SELECT * FROM alembic_version"), std::vector<std::string>{"v3.2.0.a"});
}

// The server of these tests uses the time zone of Tokyo.
TEST_F(PostgresqlStore, TimesAreUtcInAnyTimeZoneOfTheServer) {
  place_->open(example_description())->save(example_trials()[0]);
  const auto shared = place_->share(example_description(), 60);
  (void)shared->begin([](const auto&) { return std::optional(Point{}); });
  for (const char* time : {"SELECT datetime_complete FROM trials WHERE trial_id = 1",
                           "SELECT heartbeat FROM trial_heartbeats"}) {
    EXPECT_EQ(
        place_->rows("SELECT CAST(abs(EXTRACT(EPOCH FROM ((clock_timestamp() AT TIME ZONE 'UTC') "
                     "- (" +
                     std::string(time) + ")))) < 600 AS INTEGER)"),
        std::vector<std::string>{"1"});
  }
}

TEST_F(PostgresqlStore, AnUnreachableServerIsAnErrorWithoutThePassword) {
  const std::string message = message_from<IoError>([] {
    (void)postgresql_store("postgresql://me:secret@/db?host=/nowhere", example_description());
  });
  EXPECT_TRUE(message.starts_with("study database 'postgresql:///nowhere/db' cannot be reached: "))
      << message;
  EXPECT_EQ(message.find("secret"), std::string::npos) << message;
}

TEST_F(PostgresqlStore, ADatabaseWithoutStudiesIsReported) {
  EXPECT_EQ(message_from<InvalidInput>([&] { (void)list_studies(place_->address()); }),
            place_->name() + " holds no studies; choose another one");
}

// The server answers the call that it interrupts before it closes the connection.
TEST_F(PostgresqlStore, ACallThatTheServerInterruptsIsMadeAgain) {
  const StudyDescription numbers{.name = "numbers",
                                 .distributions = {{"n", IntRange{.low = 0, .high = 9}}}};
  const auto one = place_->share(numbers, 3600);
  const auto other = place_->share(numbers, 3600);
  std::future<std::optional<Trial>> begun;
  const auto interrupt_the_other = [&](const SharedStudyStore::News&) {
    begun = std::async(std::launch::async, [&] {
      return other->begin([](const SharedStudyStore::News&) { return Point{{"n", 2}}; });
    });
    // It waits for the lock of the study, which this call holds.
    const std::string end =
        "SELECT CAST(pg_terminate_backend(pid) AS TEXT) FROM pg_stat_activity WHERE "
        "wait_event_type = 'Lock'";
    while (place_->rows(end).empty()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return Point{{"n", 1}};
  };
  EXPECT_EQ(one->begin(interrupt_the_other).value().number, 0);
  EXPECT_EQ(begun.get().value().number, 1);
}

// The server waits for the mark of the end, which is not sent after a call that could not be.
TEST_F(PostgresqlStore, AConnectionThatCannotSendEveryStepIsGivenUp) {
  const std::unique_ptr<Database> database = place_->connect();
  constexpr std::size_t kTooManyForLibpq = 65'536;
  std::vector<Database::Step> steps(2);
  steps[0].sql = "SELECT 1";
  steps[1].sql = "SELECT 2";
  steps[1].parameters.resize(kTooManyForLibpq);
  EXPECT_THROW(database->run_all(steps), ConnectionLost);
  EXPECT_THROW(database->run("SELECT 1"), ConnectionLost);
  database->reconnect();
  database->run("SELECT 1");
}

}  // namespace
}  // namespace quantsearch
