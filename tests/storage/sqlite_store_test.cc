// Tests of studies in files that do not apply to a server.

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <regex>
#include <thread>

#include "quantsearch/base/error.h"
#include "quantsearch/base/random.h"
#include "quantsearch/internal/base/files.h"
#include "storage/place.h"
#include "storage/worker_process.h"

namespace quantsearch {
namespace {

class SqliteStore : public ::testing::Test {
 protected:
  [[nodiscard]] std::string opening_message() const {
    return message_from<Error>([&] { (void)place_->open(example_description()); });
  }
  [[nodiscard]] std::string file() const { return place_->address(); }

  std::unique_ptr<Place> place_ = new_place();
};

std::string one_spaced(const std::string& sql) {
  std::string text = std::regex_replace(sql, std::regex("\\s+"), " ");
  return std::regex_replace(text, std::regex(" \\)"), ")");
}

// sqlite_master of a file that Optuna 4.9.0 created (5.0.0 creates the same one), apart from white
// space.
constexpr const char* kSchema[] = {
    "CREATE TABLE studies ( study_id INTEGER NOT NULL, study_name VARCHAR(512) NOT NULL, PRIMARY "
    "KEY "
    "(study_id))",
    "CREATE TABLE version_info ( version_info_id INTEGER NOT NULL, schema_version INTEGER, "
    "library_version VARCHAR(256), PRIMARY KEY (version_info_id), CHECK (version_info_id=1))",
    "CREATE TABLE study_directions ( study_direction_id INTEGER NOT NULL, direction VARCHAR(8) NOT "
    "NULL, study_id INTEGER NOT NULL, objective INTEGER NOT NULL, PRIMARY KEY "
    "(study_direction_id), "
    "UNIQUE (study_id, objective), FOREIGN KEY(study_id) REFERENCES studies (study_id))",
    "CREATE TABLE study_user_attributes ( study_user_attribute_id INTEGER NOT NULL, study_id "
    "INTEGER, "
    "\"key\" VARCHAR(512), value_json TEXT, PRIMARY KEY (study_user_attribute_id), UNIQUE "
    "(study_id, "
    "\"key\"), FOREIGN KEY(study_id) REFERENCES studies (study_id))",
    "CREATE TABLE study_system_attributes ( study_system_attribute_id INTEGER NOT NULL, study_id "
    "INTEGER, \"key\" VARCHAR(512), value_json TEXT, PRIMARY KEY (study_system_attribute_id), "
    "UNIQUE "
    "(study_id, \"key\"), FOREIGN KEY(study_id) REFERENCES studies (study_id))",
    "CREATE TABLE trials ( trial_id INTEGER NOT NULL, number INTEGER, study_id INTEGER, state "
    "VARCHAR(8) NOT NULL, datetime_start DATETIME, datetime_complete DATETIME, PRIMARY KEY "
    "(trial_id), FOREIGN KEY(study_id) REFERENCES studies (study_id))",
    "CREATE TABLE trial_user_attributes ( trial_user_attribute_id INTEGER NOT NULL, trial_id "
    "INTEGER, "
    "\"key\" VARCHAR(512), value_json TEXT, PRIMARY KEY (trial_user_attribute_id), UNIQUE "
    "(trial_id, "
    "\"key\"), FOREIGN KEY(trial_id) REFERENCES trials (trial_id))",
    "CREATE TABLE trial_system_attributes ( trial_system_attribute_id INTEGER NOT NULL, trial_id "
    "INTEGER, \"key\" VARCHAR(512), value_json TEXT, PRIMARY KEY (trial_system_attribute_id), "
    "UNIQUE "
    "(trial_id, \"key\"), FOREIGN KEY(trial_id) REFERENCES trials (trial_id))",
    "CREATE TABLE trial_params ( param_id INTEGER NOT NULL, trial_id INTEGER, param_name "
    "VARCHAR(512), param_value FLOAT, distribution_json TEXT, PRIMARY KEY (param_id), UNIQUE "
    "(trial_id, param_name), FOREIGN KEY(trial_id) REFERENCES trials (trial_id))",
    "CREATE TABLE trial_values ( trial_value_id INTEGER NOT NULL, trial_id INTEGER NOT NULL, "
    "objective INTEGER NOT NULL, value FLOAT, value_type VARCHAR(7) NOT NULL, PRIMARY KEY "
    "(trial_value_id), UNIQUE (trial_id, objective), FOREIGN KEY(trial_id) REFERENCES trials "
    "(trial_id))",
    "CREATE TABLE trial_intermediate_values ( trial_intermediate_value_id INTEGER NOT NULL, "
    "trial_id "
    "INTEGER NOT NULL, step INTEGER NOT NULL, intermediate_value FLOAT, intermediate_value_type "
    "VARCHAR(7) NOT NULL, PRIMARY KEY (trial_intermediate_value_id), UNIQUE (trial_id, step), "
    "FOREIGN "
    "KEY(trial_id) REFERENCES trials (trial_id))",
    "CREATE TABLE trial_heartbeats ( trial_heartbeat_id INTEGER NOT NULL, trial_id INTEGER NOT "
    "NULL, "
    "heartbeat DATETIME NOT NULL, PRIMARY KEY (trial_heartbeat_id), UNIQUE (trial_id), FOREIGN "
    "KEY(trial_id) REFERENCES trials (trial_id))",
    "CREATE TABLE alembic_version ( version_num VARCHAR(32) NOT NULL, CONSTRAINT "
    "alembic_version_pkc "
    "PRIMARY KEY (version_num))",
    "CREATE UNIQUE INDEX ix_studies_study_name ON studies (study_name)",
    "CREATE INDEX ix_trials_study_id ON trials (study_id)"};

TEST_F(SqliteStore, HasExactlyOptunasSchema) {
  (void)place_->open(example_description());
  std::vector<std::string> tables;
  for (const std::string& sql :
       place_->rows("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid")) {
    tables.push_back(one_spaced(sql));
  }
  const std::vector<std::string> expected(std::begin(kSchema), std::end(kSchema));
  ASSERT_EQ(tables.size(), expected.size());
  for (const std::string& sql : expected) {
    EXPECT_NE(std::ranges::find(tables, sql), tables.end()) << sql;
  }
  EXPECT_EQ(place_->rows("SELECT * FROM version_info"),
            std::vector<std::string>{"1|12|quantsearch"});
  EXPECT_EQ(place_->rows("SELECT * FROM alembic_version"), std::vector<std::string>{"v3.2.0.a"});
  EXPECT_EQ(place_->rows("PRAGMA journal_mode"), std::vector<std::string>{"wal"});
}

TEST_F(SqliteStore, TimesAreWrittenAsOptunaReadsThem) {
  place_->open(example_description())->save(example_trials()[0]);
  const std::regex time("20\\d\\d-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d\\.\\d{6}");
  for (const char* column : {"datetime_start", "datetime_complete"}) {
    const std::string written = place_->rows("SELECT " + std::string(column) + " FROM trials")[0];
    EXPECT_TRUE(std::regex_match(written, time)) << written;
  }
  EXPECT_EQ(
      place_->rows("SELECT (julianday(datetime_complete) - julianday(datetime_start)) * 86400 "
                   "BETWEEN 0.33 AND 600 FROM trials"),
      std::vector<std::string>{"1"});
}

TEST_F(SqliteStore, LeavesOneFile) {
  (void)place_->open(example_description());
  std::vector<std::string> names;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::path(file()).parent_path())) {
    names.push_back(entry.path().filename().string());
  }
  EXPECT_EQ(names, std::vector<std::string>{"study.db"});
}

TEST_F(SqliteStore, OtherFilesAreRefusedAndKept) {
  const std::string text = "this is a text of somebody's, not a database at all";
  std::ofstream(file()) << text;
  EXPECT_EQ(opening_message(),
            "study database '" + file() + "' is not an SQLite database; choose another file");
  EXPECT_EQ(read_file(file()), text);
  std::filesystem::remove(file());
  place_->run("CREATE TABLE mine (a INTEGER)");
  EXPECT_EQ(opening_message(),
            "study database '" + file() + "' holds no studies; choose another one");
  EXPECT_EQ(place_->rows("SELECT count(*) FROM sqlite_master"), std::vector<std::string>{"1"});
  EXPECT_EQ(message_from<InvalidInput>([&] { (void)list_studies(file()); }),
            "study database '" + file() + "' holds no studies; choose another one");
  EXPECT_EQ(message_from<InvalidInput>([&] { (void)list_studies(file() + "x"); }),
            "study database '" + file() + "x' does not exist");
  EXPECT_FALSE(std::filesystem::exists(file() + "x"));
}

TEST_F(SqliteStore, AnotherRevisionIsRefused) {
  (void)place_->open(example_description());
  place_->run("UPDATE alembic_version SET version_num = 'v2.6.0.a'");
  EXPECT_EQ(
      message_from<Unsupported>([&] { (void)place_->open(example_description()); }),
      "study database '" + file() +
          "': got revision 'v2.6.0.a' of Optuna's tables, expected 'v3.2.0.a'; bring it up to "
          "date with 'optuna storage upgrade' of Optuna 3.2 or later");
}

TEST_F(SqliteStore, ARemovedOrReplacedFileIsAnError) {
  for (const bool is_replaced : {false, true}) {
    const std::unique_ptr<Place> place = new_place();
    const auto store = place->open(example_description());
    std::filesystem::remove(place->address());
    if (is_replaced) write_file_atomically(place->address(), "something else");
    EXPECT_EQ(
        message_from<StudyRemoved>([&] { store->save(Trial()); }),
        "study database '" + place->address() + "' was removed or replaced while it was in use");
    EXPECT_EQ(
        message_from<StudyRemoved>([&] { store->start(Trial()); }),
        "study database '" + place->address() + "' was removed or replaced while it was in use");
  }
}

TEST_F(SqliteStore, AMissingFolderIsAnError) {
  const std::string absent = file() + ".d/study.db";
  EXPECT_EQ(message_from<IoError>([&] { (void)sqlite_store(absent, example_description()); }),
            "study database '" + absent + "' failed: unable to open database file");
}

TEST_F(SqliteStore, ReadersDoNotWaitForAWriter) {
  place_->open(example_description())->save(example_trials()[0]);
  const auto writer = place_->connect();
  Transaction open(*writer, Database::Access::write);
  writer->run("DELETE FROM trial_params");
  EXPECT_EQ(load_trials(file(), "search"), std::vector<Trial>{example_trials()[0]});
}

TEST_F(SqliteStore, ADamagedFileIsAnError) {
  {
    const auto store = place_->open(example_description());
    for (const Trial& trial : example_trials()) store->save(trial);
  }
  std::fstream stream(file(), std::ios::in | std::ios::out | std::ios::binary);
  stream.seekp(4096);
  for (int i = 0; i < 100'000; ++i) stream.put('x');
  stream.close();
  EXPECT_EQ(message_from<IoError>([&] { (void)place_->open(example_description()); }),
            "study database '" + file() + "' failed: database disk image is malformed");
}

Trial trial_of(std::int64_t number) {
  Trial trial = example_trials()[static_cast<std::size_t>(number) % example_trials().size()];
  trial.number = number;
  return trial;
}

/// Works like an endless search and sends the parent each number once its trial is saved.
bool search_on(const Place& place, int told) {
  const auto store = place.open(example_description());
  std::int64_t next = 0;
  for (const Trial& trial : store->load()) {
    if (trial.state != TrialState::running) next = trial.number + 1;
  }
  for (;; ++next) {
    store->start(trial_of(next));
    store->save(trial_of(next));
    if (::write(told, &next, sizeof next) != sizeof next) return false;
  }
}

TEST_F(SqliteStore, AKillAtAnyMomentLosesNoSavedTrial) {
  RandomStream random(20);
  std::int64_t saved = -1;
  for (int kill = 0; kill < 20; ++kill) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    WorkerProcess search([&] { return search_on(*place_, ends[1]); });
    ::close(ends[1]);
    // The kills are spread from before the file exists to some trials later.
    if (kill % 2 == 1) {
      std::int64_t first = 0;
      ASSERT_EQ(::read(ends[0], &first, sizeof first), static_cast<ssize_t>(sizeof first));
      ASSERT_EQ(first, ++saved);
    }
    std::this_thread::sleep_for(std::chrono::microseconds(random.below(30'000)));
    search.kill();
    std::int64_t number = 0;
    while (::read(ends[0], &number, sizeof number) == sizeof number) {
      ASSERT_EQ(number, saved + 1);
      saved = number;
    }
    ::close(ends[0]);

    const auto store = place_->open(example_description());  // the dead process holds no lock
    ASSERT_EQ(place_->rows("PRAGMA integrity_check"), std::vector<std::string>{"ok"});
    const std::vector<Trial> trials = store->load();
    std::int64_t finished = 0;
    for (std::size_t i = 0; i < trials.size(); ++i) {
      ASSERT_EQ(trials[i].number, static_cast<std::int64_t>(i));
      if (trials[i].state == TrialState::running) {
        ASSERT_EQ(i, trials.size() - 1);
        continue;
      }
      ++finished;
      ASSERT_EQ(trials[i], trial_of(trials[i].number));
    }
    // The last trial may have been saved without being reported.
    ASSERT_GE(finished, saved + 1);
    ASSERT_LE(finished, saved + 2);
    saved = finished - 1;
  }
  EXPECT_GE(saved, 9);
}

}  // namespace
}  // namespace quantsearch
