#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <limits>
#include <unordered_map>
#include <utility>

#include "quantsearch/base/error.h"
#include "storage/shared_trials.h"
#include "storage/study_table.h"
#include "storage/trial_record.h"
#include "storage/trial_writer.h"

namespace quantsearch {

namespace {

constexpr Database::Dialect kDialect = Database::Dialect::postgresql;

/// What is read of a trial. The record comes from a subquery and not from a join, because the plan
/// of a prepared statement is made once, and a join of large tables would read them whole.
std::string heads_query(const std::string& condition) {
  return fmt::format(
      "SELECT t.trial_id, t.number, CAST(t.state AS TEXT), (SELECT a.value_json FROM "
      "trial_system_attributes a WHERE a.trial_id = t.trial_id AND a.key = '{}') FROM trials t "
      "WHERE {} ORDER BY t.trial_id",
      kWorker, condition);
}

/// A list of rows whose cells are parameters, added to `cells`: "(CAST($3 AS TEXT), ...), (...)".
std::string values_list(std::vector<Row> rows, std::vector<const char*> types,
                        std::vector<Cell>& cells) {
  std::string list;
  for (Row& row : rows) {
    list += list.empty() ? "(" : ", (";
    for (std::size_t i = 0; i < row.size(); ++i) {
      cells.push_back(std::move(row[i]));
      list += fmt::format("{}CAST(${} AS {})", i == 0 ? "" : ", ", cells.size(), types[i]);
    }
    list += ")";
  }
  return list;
}

/// A part of a statement that adds `rows` to a table for the trial that the part `of` returns.
/// Empty without rows.
std::string insert_part(const std::string& name, const std::string& of, const std::string& table,
                        std::vector<Row> rows, std::vector<const char*> types,
                        std::vector<Cell>& cells) {
  if (rows.empty()) return "";
  const std::string values = values_list(std::move(rows), std::move(types), cells);
  return fmt::format(", {} AS (INSERT INTO {} SELECT {}.trial_id, v.* FROM {}, (VALUES {}) v)",
                     name, table, of, of, values);
}

class TrialsByRecord final : public SharedTrials {
 public:
  explicit TrialsByRecord(const SharedStudy& study)
      : database_(study.database),
        study_(study.id),
        reader_(database_, study_, study.description.goals.size()),
        writer_(database_, study_, study.description),
        records_(study.description.distributions, study.worker),
        lease_seconds_(study.lease_seconds) {}

  Changes changes(const Known& known) override {
    database_.set_durable(false);
    Changes changes;
    Heads heads;
    std::vector<Database::Step> steps;
    if (!known.unfinished.empty()) {
      steps.push_back(
          {.sql = heads_query(fmt::format(
               "{} AND t.state <> 'WAITING' AND (t.state <> 'RUNNING' OR {})",
               is_among(kDialect, "t.trial_id", "$1"), known.has_waiting ? "TRUE" : "FALSE")),
           .parameters = {list_cell(kDialect, known.unfinished)},
           .on_row = [&](const Row& row) { heads.take(stored(row), integer_in(row[0])); }});
    }
    steps.push_back(begun_after(known.last, heads));
    steps.push_back(
        {.sql = fmt::format("SELECT 1 FROM trial_heartbeats WHERE heartbeat < {} LIMIT 1",
                            time_before_now(kDialect, "$1")),
         .parameters = {lease_seconds_},
         .on_row = [&](const Row&) { changes.has_old_lease = true; }});
    database_.run_all(steps);
    changes.trials = whole(std::move(heads));
    return changes;
  }

  Locked lock(std::int64_t last) override {
    Heads heads;
    std::vector<Database::Step> steps;
    steps.push_back({.sql = "SELECT study_id FROM studies WHERE study_id = $1 FOR UPDATE",
                     .parameters = {study_}});
    steps.push_back(begun_after(last, heads));
    Locked locked{.transaction = std::make_unique<Transaction>(database_, Database::Access::write,
                                                               std::move(steps)),
                  .begun = whole(std::move(heads))};
    last_ = last;
    for (const StoredTrial& stored : locked.begun) last_ = std::max(last_, stored.id);
    return locked;
  }

  StoredTrial add(const Point& point, Transaction& transaction) override {
    StoredTrial stored;
    stored.trial.point = point;
    std::vector<Cell> cells{study_, last_, records_.running(point)};
    std::string sql = fmt::format(
        // The last trial is at or after the one that the transaction knows.
        "WITH t AS (INSERT INTO trials (number, study_id, state, datetime_start) VALUES (COALESCE(("
        "SELECT number + 1 FROM trials WHERE study_id = $1 AND trial_id >= CAST($2 AS BIGINT) "
        "ORDER BY trial_id DESC LIMIT 1), 0), $1, 'RUNNING', {}) RETURNING trial_id, number), "
        "w AS (INSERT INTO trial_system_attributes (trial_id, key, value_json) SELECT trial_id, "
        "'{}', CAST($3 AS TEXT) FROM t), "
        "h AS (INSERT INTO trial_heartbeats (trial_id, heartbeat) SELECT trial_id, {} FROM t)",
        now(kDialect), kWorker, now(kDialect));
    sql +=
        insert_part("p", "t", "trial_params (trial_id, param_name, param_value, distribution_json)",
                    writer_.parameter_rows(point), {"TEXT", "DOUBLE PRECISION", "TEXT"}, cells);
    transaction.commit_after({.sql = sql + " SELECT trial_id, number FROM t",
                              .parameters = std::move(cells),
                              .on_row = [&](const Row& row) {
                                stored.id = integer_in(row[0]);
                                stored.trial.number = integer_in(row[1]);
                              }});
    records_here_.insert_or_assign(stored.id, records_.running(point));
    return stored;
  }

  std::optional<StoredTrial> take_over() override {
    for (auto& [stored, record] : expired()) {
      const std::string ours = records_.running(stored.trial.point);
      const std::array<Cell, 3> cells{stored.id, record, ours};
      const auto taken = database_.first(
          fmt::format("WITH own AS MATERIALIZED ({}), t AS (UPDATE trials SET datetime_start = {} "
                      "FROM own WHERE trials.trial_id = own.trial_id AND trials.state = 'RUNNING' "
                      "RETURNING trials.trial_id), "
                      "w AS (UPDATE trial_system_attributes a SET value_json = $3 FROM t WHERE "
                      "a.trial_id = t.trial_id AND a.key = '{}'), "
                      "h AS (UPDATE trial_heartbeats h SET heartbeat = {} FROM t WHERE h.trial_id "
                      "= t.trial_id) SELECT trial_id FROM t",
                      locked_record("a.value_json = $2"), now(kDialect), kWorker, now(kDialect)),
          cells);
      if (!taken) continue;  // it has just ended
      records_here_.insert_or_assign(stored.id, ours);
      return std::move(stored);
    }
    return std::nullopt;
  }

  std::vector<std::int64_t> running_here() override {
    const std::array<Cell, 2> cells{study_, records_.own_beginning()};
    std::vector<std::int64_t> ids;
    database_.run(
        fmt::format("SELECT t.trial_id FROM trials t JOIN trial_system_attributes a ON a.trial_id "
                    "= t.trial_id AND a.key = '{}' WHERE t.study_id = $1 AND t.state = 'RUNNING' "
                    "AND starts_with(a.value_json, $2)",
                    kWorker),
        cells, [&](const Row& row) { ids.push_back(integer_in(row[0])); });
    return ids;
  }

  /// The row of the record is locked first, here and in take_over(): of two processes that want to
  /// change it at the same time, the second finds the record of the first.
  bool finish(std::int64_t id, const Trial& finished, bool again) override {
    std::vector<Cell> cells{id, record_here(id, finished.point), records_.finished(finished),
                            optuna_state(finished.state)};
    std::string sql = fmt::format(
        "WITH own AS MATERIALIZED ({}), t AS (UPDATE trials SET state = CAST($4 AS trialstate), "
        "datetime_complete = {} FROM own WHERE trials.trial_id = own.trial_id AND trials.state = "
        "'RUNNING' RETURNING trials.trial_id), "
        "w AS (UPDATE trial_system_attributes a SET value_json = $3 FROM t WHERE a.trial_id = "
        "t.trial_id AND a.key = '{}'), "
        "h AS (DELETE FROM trial_heartbeats h USING t WHERE h.trial_id = t.trial_id)",
        locked_record("a.value_json IN ($2, $3)"), now(kDialect), kWorker);
    sql += insert_part("o", "t", "trial_values (trial_id, objective, value, value_type)",
                       writer_.value_rows(finished),
                       {"INTEGER", "DOUBLE PRECISION", "trialvaluetype"}, cells);
    sql += insert_part("u", "t", "trial_user_attributes (trial_id, key, value_json)",
                       TrialWriter::user_attribute_rows(finished), {"TEXT", "TEXT"}, cells);
    sql += insert_part("s", "t", "trial_system_attributes (trial_id, key, value_json)",
                       TrialWriter::system_attribute_rows(finished), {"TEXT", "TEXT"}, cells);
    // The setting holds for this transaction, which is on disk when the statement returns.
    const auto row =
        database_.first(sql +
                            " SELECT (SELECT count(*) FROM own), (SELECT count(*) FROM t), "
                            "set_config('synchronous_commit', 'on', TRUE)",
                        cells);
    const bool is_own = integer_in(row.value()[0]) > 0;
    const bool has_ended = integer_in((*row)[1]) > 0;
    records_here_.erase(id);
    return is_own && (has_ended || again);
  }

  void renew(const std::vector<std::int64_t>& ids, const std::string& time) override {
    database_.set_durable(false);
    const std::array<Cell, 2> cells{list_cell(kDialect, ids), records_.own_beginning()};
    database_.run(fmt::format("UPDATE trial_heartbeats h SET heartbeat = {} FROM "
                              "trial_system_attributes a WHERE {} AND a.trial_id = h.trial_id AND "
                              "a.key = '{}' AND starts_with(a.value_json, $2)",
                              time, is_among(kDialect, "h.trial_id", "$1"), kWorker),
                  cells);
  }

 private:
  /// The query of the trial $1 that locks its record.
  static std::string locked_record(const char* condition) {
    return fmt::format(
        "SELECT a.trial_id FROM trial_system_attributes a WHERE a.trial_id = CAST($1 AS INTEGER) "
        "AND a.key = '{}' AND {} FOR UPDATE",
        kWorker, condition);
  }

  /// Trials that were read from their records, and the ids of those that have none.
  struct Heads {
    std::vector<StoredTrial> trials = {};
    std::vector<std::int64_t> others = {};
    void take(std::optional<StoredTrial> stored, std::int64_t id) {
      if (stored) {
        trials.push_back(*std::move(stored));
      } else {
        others.push_back(id);
      }
    }
  };

  /// The range has two ends, both parameters, because the planner expects few rows of such a range
  /// and walks through the index by ids.
  Database::Step begun_after(std::int64_t last, Heads& heads) {
    return {
        .sql = heads_query("t.study_id + 0 = $1 AND t.trial_id > CAST($2 AS BIGINT) AND "
                           "t.trial_id <= CAST($3 AS BIGINT)"),
        .parameters = {study_, last, std::numeric_limits<std::int64_t>::max()},
        .on_row = [this, &heads](const Row& row) { heads.take(stored(row), integer_in(row[0])); }};
  }

  /// The trial of a row of heads_query(); nullopt when it has no record of its state.
  std::optional<StoredTrial> stored(const Row& row) const {
    const bool is_running = text_in(row[2]) == "RUNNING";
    auto record = is_null(row[3]) ? std::nullopt : records_.read(text_in(row[3]));
    if (!record || (record->trial.state == TrialState::running) != is_running) return std::nullopt;
    StoredTrial stored{.id = integer_in(row[0]), .trial = std::move(record->trial)};
    stored.trial.number = integer_in(row[1]);
    stored.is_abridged = record->is_abridged;
    return stored;
  }

  /// Reads the trials without a record from the tables.
  std::vector<StoredTrial> whole(Heads heads) {
    for (const std::int64_t id : heads.others)
      heads.trials.push_back(std::move(reader_.read(id, id).at(0)));
    return std::move(heads.trials);
  }

  const std::string& record_here(std::int64_t id, const Point& point) {
    return records_here_.try_emplace(id, records_.running(point)).first->second;
  }

  struct Expired {
    StoredTrial stored;
    std::string record;
  };
  std::vector<Expired> expired() {
    const std::array<Cell, 3> cells{study_, records_.own_beginning(), lease_seconds_};
    std::vector<Expired> found;
    database_.run(
        fmt::format(
            "SELECT t.trial_id, a.value_json FROM trial_heartbeats h JOIN trials t ON "
            "t.trial_id = h.trial_id JOIN trial_system_attributes a ON a.trial_id = "
            "t.trial_id AND a.key = '{}' WHERE t.study_id + 0 = $1 AND t.state = 'RUNNING' "
            "AND NOT starts_with(a.value_json, $2) AND h.heartbeat < {} ORDER BY t.trial_id",
            kWorker, time_before_now(kDialect, "$3")),
        cells, [&](const Row& row) {
          found.push_back(
              {.stored = {.id = integer_in(row[0]), .trial = {}}, .record = text_in(row[1])});
        });
    for (Expired& one : found)
      one.stored = std::move(reader_.read(one.stored.id, one.stored.id).at(0));
    return found;
  }

  Database& database_;
  std::int64_t study_;
  TrialReader reader_;
  TrialWriter writer_;
  TrialRecords records_;
  double lease_seconds_;
  std::int64_t last_ = 0;  // the largest id that the transaction of lock() has seen
  std::unordered_map<std::int64_t, std::string> records_here_;  // of running trials, by id
};

}  // namespace

std::unique_ptr<SharedTrials> shared_trials_by_record(const SharedStudy& study) {
  return std::make_unique<TrialsByRecord>(study);
}

}  // namespace quantsearch
