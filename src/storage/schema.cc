#include "storage/schema.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "quantsearch/base/error.h"

namespace quantsearch {

namespace {

constexpr const char* kRevision = "v3.2.0.a";
constexpr std::int64_t kSchemaVersion = 12;
// The value of `library_version`, which Optuna shows when it rejects a database with another
// schema.
constexpr const char* kWriter = "quantsearch";
// Revision v3.2.0.a only added an index on trials.study_id.
constexpr std::array<const char*, 2> kKnownRevisions{"v3.0.0.d", kRevision};

constexpr const char* kTables = R"(
CREATE TABLE studies (
	study_id {id} NOT NULL,
	study_name VARCHAR(512) NOT NULL,
	PRIMARY KEY (study_id)
);
CREATE TABLE version_info (
	version_info_id INTEGER NOT NULL,
	schema_version INTEGER,
	library_version VARCHAR(256),
	PRIMARY KEY (version_info_id),
	CHECK (version_info_id=1)
);
CREATE TABLE study_directions (
	study_direction_id {id} NOT NULL,
	direction {direction} NOT NULL,
	study_id INTEGER NOT NULL,
	objective INTEGER NOT NULL,
	PRIMARY KEY (study_direction_id),
	UNIQUE (study_id, objective),
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
CREATE TABLE study_user_attributes (
	study_user_attribute_id {id} NOT NULL,
	study_id INTEGER,
	{key} VARCHAR(512),
	value_json TEXT,
	PRIMARY KEY (study_user_attribute_id),
	UNIQUE (study_id, {key}),
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
CREATE TABLE study_system_attributes (
	study_system_attribute_id {id} NOT NULL,
	study_id INTEGER,
	{key} VARCHAR(512),
	value_json TEXT,
	PRIMARY KEY (study_system_attribute_id),
	UNIQUE (study_id, {key}),
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
CREATE TABLE trials (
	trial_id {id} NOT NULL,
	number INTEGER,
	study_id INTEGER,
	state {state} NOT NULL,
	datetime_start {time},
	datetime_complete {time},
	PRIMARY KEY (trial_id),
	FOREIGN KEY(study_id) REFERENCES studies (study_id)
);
CREATE TABLE trial_user_attributes (
	trial_user_attribute_id {id} NOT NULL,
	trial_id INTEGER,
	{key} VARCHAR(512),
	value_json TEXT,
	PRIMARY KEY (trial_user_attribute_id),
	UNIQUE (trial_id, {key}),
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
CREATE TABLE trial_system_attributes (
	trial_system_attribute_id {id} NOT NULL,
	trial_id INTEGER,
	{key} VARCHAR(512),
	value_json TEXT,
	PRIMARY KEY (trial_system_attribute_id),
	UNIQUE (trial_id, {key}),
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
CREATE TABLE trial_params (
	param_id {id} NOT NULL,
	trial_id INTEGER,
	param_name VARCHAR(512),
	param_value {float},
	distribution_json TEXT,
	PRIMARY KEY (param_id),
	UNIQUE (trial_id, param_name),
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
CREATE TABLE trial_values (
	trial_value_id {id} NOT NULL,
	trial_id INTEGER NOT NULL,
	objective INTEGER NOT NULL,
	value {float},
	value_type {value_type} NOT NULL,
	PRIMARY KEY (trial_value_id),
	UNIQUE (trial_id, objective),
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
CREATE TABLE trial_intermediate_values (
	trial_intermediate_value_id {id} NOT NULL,
	trial_id INTEGER NOT NULL,
	step INTEGER NOT NULL,
	intermediate_value {float},
	intermediate_value_type {intermediate_value_type} NOT NULL,
	PRIMARY KEY (trial_intermediate_value_id),
	UNIQUE (trial_id, step),
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
CREATE TABLE trial_heartbeats (
	trial_heartbeat_id {id} NOT NULL,
	trial_id INTEGER NOT NULL,
	heartbeat {time} NOT NULL,
	PRIMARY KEY (trial_heartbeat_id),
	UNIQUE (trial_id),
	FOREIGN KEY(trial_id) REFERENCES trials (trial_id)
);
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL,
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
CREATE UNIQUE INDEX ix_studies_study_name ON studies (study_name);
CREATE INDEX ix_trials_study_id ON trials (study_id);
)";

constexpr const char* kEnumerations = R"(
CREATE TYPE studydirection AS ENUM ('NOT_SET', 'MINIMIZE', 'MAXIMIZE');
CREATE TYPE trialstate AS ENUM ('RUNNING', 'COMPLETE', 'PRUNED', 'FAIL', 'WAITING');
CREATE TYPE trialvaluetype AS ENUM ('FINITE', 'INF_POS', 'INF_NEG');
CREATE TYPE trialintermediatevaluetype AS ENUM ('FINITE', 'INF_POS', 'INF_NEG', 'NAN');
)";

std::string tables(Database::Dialect dialect) {
  using fmt::arg;
  const auto format = fmt::runtime(kTables);
  switch (dialect) {
    case Database::Dialect::sqlite:
      return fmt::format(format, arg("id", "INTEGER"), arg("key", "\"key\""),
                         arg("direction", "VARCHAR(8)"), arg("state", "VARCHAR(8)"),
                         arg("value_type", "VARCHAR(7)"),
                         arg("intermediate_value_type", "VARCHAR(7)"), arg("float", "FLOAT"),
                         arg("time", "DATETIME"));
    case Database::Dialect::postgresql:
      return kEnumerations +
             fmt::format(format, arg("id", "SERIAL"), arg("key", "key"),
                         arg("direction", "studydirection"), arg("state", "trialstate"),
                         arg("value_type", "trialvaluetype"),
                         arg("intermediate_value_type", "trialintermediatevaluetype"),
                         arg("float", "FLOAT(53)"), arg("time", "TIMESTAMP WITHOUT TIME ZONE"));
  }
  throw InternalError("dialect without tables");
}

const char* tables_query(Database::Dialect dialect) {
  switch (dialect) {
    case Database::Dialect::sqlite:
      return "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
    case Database::Dialect::postgresql:
      return "SELECT CAST(tablename AS TEXT) FROM pg_tables WHERE schemaname = current_schema()";
  }
  throw InternalError("dialect without a list of tables");
}

std::vector<std::string> names_of_tables(Database& database) {
  std::vector<std::string> names;
  database.run(tables_query(database.dialect()), {},
               [&](const Row& row) { names.push_back(std::get<std::string>(row[0])); });
  return names;
}

bool has(const std::vector<std::string>& names, const char* name) {
  return std::ranges::find(names, name) != names.end();
}

void check_revision(Database& database) {
  const auto row = database.first("SELECT version_num FROM alembic_version");
  if (!row) return;  // Optuna writes the revision shortly after the tables
  const std::string& revision = std::get<std::string>((*row)[0]);
  if (std::ranges::find(kKnownRevisions, revision) != kKnownRevisions.end()) return;
  throw Unsupported(fmt::format(
      "{}: got revision '{}' of Optuna's tables, expected '{}'; bring it up to date with 'optuna "
      "storage upgrade' of Optuna 3.2 or later",
      database.name(), revision, kRevision));
}

}  // namespace

void check_schema(Database& database) {
  const std::vector<std::string> names = names_of_tables(database);
  if (!has(names, "studies") || !has(names, "trials") || !has(names, "alembic_version")) {
    throw InvalidInput(fmt::format("{} holds no studies; choose another one", database.name()));
  }
  check_revision(database);
}

void ensure_schema(Database& database) {
  if (database.dialect() == Database::Dialect::postgresql) {
    // Tables cannot be locked before they exist. The number is arbitrary, but must differ from
    // those of other programs.
    database.run("SELECT pg_advisory_xact_lock(7311712960254464361)");
  }
  const std::vector<std::string> names = names_of_tables(database);
  // A PostgreSQL database may contain unrelated tables; a file contains studies only.
  const bool is_new =
      database.dialect() == Database::Dialect::sqlite ? names.empty() : !has(names, "studies");
  if (!is_new) return check_schema(database);
  database.run_script(tables(database.dialect()));
  database.run(
      fmt::format("INSERT INTO version_info VALUES (1, {}, {})", kSchemaVersion, quoted(kWriter)));
  database.run(fmt::format("INSERT INTO alembic_version VALUES ({})", quoted(kRevision)));
}

}  // namespace quantsearch
