#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <limits>

#include "storage/shared_trials.h"
#include "storage/study_table.h"
#include "storage/trial_writer.h"

namespace quantsearch {

namespace {

constexpr std::int64_t kEveryId = std::numeric_limits<std::int64_t>::max();

class TrialsByRow final : public SharedTrials {
 public:
  explicit TrialsByRow(const SharedStudy& study)
      : database_(study.database),
        study_(study.id),
        reader_(database_, study_, study.description.goals.size()),
        writer_(database_, study_, study.description),
        lease_seconds_(study.lease_seconds),
        worker_(study.worker) {}

  Changes changes(const Known& known) override {
    Changes changes;
    const std::vector<std::int64_t> ended = ended_ones(known);
    if (!ended.empty()) {
      changes.trials = reader_.read(ended.front(), ended.back());
      std::erase_if(changes.trials, [&](const StoredTrial& stored) {
        return !std::ranges::binary_search(ended, stored.id);
      });
    }
    std::ranges::move(reader_.read(known.last + 1, kEveryId), std::back_inserter(changes.trials));
    changes.has_old_lease = has_old_lease();
    return changes;
  }

  Locked lock(std::int64_t last) override {
    Locked locked{.transaction = std::make_unique<Transaction>(database_, Database::Access::write)};
    lock_study(database_, study_);
    locked.begun = reader_.read_begun(last + 1);
    return locked;
  }

  StoredTrial add(const Point& point, Transaction& transaction) override {
    StoredTrial stored;
    stored.trial.point = point;
    stored.id = writer_.add_next(stored.trial);
    const std::array<Cell, 3> worker{stored.id, kWorker, worker_};
    database_.run(
        "INSERT INTO trial_system_attributes (trial_id, key, value_json) VALUES ($1, $2, $3)",
        worker);
    const std::array<Cell, 1> id{stored.id};
    database_.run(fmt::format("INSERT INTO trial_heartbeats (trial_id, heartbeat) VALUES ($1, {})",
                              now(database_.dialect())),
                  id);
    transaction.commit();
    return stored;
  }

  std::optional<StoredTrial> take_over() override {
    for (const std::int64_t id : expired()) {
      if (!writer_.lock_running(id)) continue;  // it has just ended
      const std::array<Cell, 3> worker{worker_, id, kWorker};
      database_.run(
          "UPDATE trial_system_attributes SET value_json = $1 WHERE trial_id = $2 AND key = $3",
          worker);
      const std::array<Cell, 1> cells{id};
      database_.run(fmt::format("UPDATE trial_heartbeats SET heartbeat = {} WHERE trial_id = $1",
                                now(database_.dialect())),
                    cells);
      database_.run(fmt::format("UPDATE trials SET datetime_start = {} WHERE trial_id = $1",
                                now(database_.dialect())),
                    cells);
      return std::move(reader_.read(id, id).at(0));
    }
    return std::nullopt;
  }

  std::vector<std::int64_t> running_here() override {
    const std::array<Cell, 3> cells{kWorker, worker_, study_};
    std::vector<std::int64_t> ids;
    database_.run(
        "SELECT t.trial_id FROM trial_system_attributes a JOIN trials t ON t.trial_id = a.trial_id "
        "WHERE a.key = $1 AND a.value_json = $2 AND t.study_id = $3 AND t.state = 'RUNNING'",
        cells, [&](const Row& row) { ids.push_back(integer_in(row[0])); });
    return ids;
  }

  bool finish(std::int64_t id, const Trial& finished, bool again) override {
    database_.set_durable(true);
    Transaction transaction(database_, Database::Access::write);
    const bool is_running = writer_.lock_running(id);
    const bool is_ours = (is_running || again) && belongs_to_us(id);
    if (is_running && is_ours) {
      writer_.finish(id, finished);
      const std::array<Cell, 1> cells{id};
      database_.run("DELETE FROM trial_heartbeats WHERE trial_id = $1", cells);
    }
    transaction.commit();
    return is_ours;
  }

  void renew(const std::vector<std::int64_t>& ids, const std::string& time) override {
    database_.set_durable(false);
    Transaction transaction(database_, Database::Access::write);
    for (const std::int64_t id : ids) {
      const std::array<Cell, 3> cells{id, kWorker, worker_};
      database_.run(
          fmt::format("UPDATE trial_heartbeats SET heartbeat = {} WHERE trial_id = $1 AND EXISTS "
                      "(SELECT 1 FROM trial_system_attributes a WHERE a.trial_id = $1 AND a.key = "
                      "$2 AND a.value_json = $3)",
                      time),
          cells);
    }
    transaction.commit();
  }

 private:
  [[nodiscard]] bool belongs_to_us(std::int64_t id) {
    const std::array<Cell, 2> cells{id, kWorker};
    const auto row = database_.first(
        "SELECT value_json FROM trial_system_attributes WHERE trial_id = $1 AND key = $2", cells);
    return row && text_in((*row)[0]) == worker_;
  }

  /// The ids of unfinished trials that are no longer running, in order.
  std::vector<std::int64_t> ended_ones(const Known& known) {
    if (known.unfinished.empty()) return {};
    const std::array<Cell, 1> cells{list_cell(database_.dialect(), known.unfinished)};
    std::vector<std::int64_t> ended;
    database_.run(
        fmt::format("SELECT trial_id FROM trials WHERE {} AND state <> 'WAITING' AND (state <> "
                    "'RUNNING' OR {}) ORDER BY trial_id",
                    is_among(database_.dialect(), "trial_id", "$1"),
                    known.has_waiting ? "TRUE" : "FALSE"),
        cells, [&](const Row& row) { ended.push_back(integer_in(row[0])); });
    return ended;
  }

  /// This is asked for each trial, and needs no join.
  bool has_old_lease() {
    const std::array<Cell, 1> cells{lease_seconds_};
    const auto row = database_.first(
        fmt::format("SELECT h.trial_id FROM trial_heartbeats h WHERE {} > $1 LIMIT 1",
                    seconds_between(database_.dialect(), "h.heartbeat", now(database_.dialect()))),
        cells);
    return row.has_value();
  }

  std::vector<std::int64_t> expired() {
    const std::array<Cell, 4> cells{kWorker, study_, worker_, lease_seconds_};
    std::vector<std::int64_t> ids;
    database_.run(
        fmt::format(
            "SELECT t.trial_id FROM trial_heartbeats h JOIN trials t ON t.trial_id = h.trial_id "
            "JOIN trial_system_attributes a ON a.trial_id = t.trial_id AND a.key = $1 WHERE "
            "t.study_id + 0 = $2 AND t.state = 'RUNNING' AND a.value_json <> $3 AND {} > $4 ORDER "
            "BY t.trial_id",
            seconds_between(database_.dialect(), "h.heartbeat", now(database_.dialect()))),
        cells, [&](const Row& row) { ids.push_back(integer_in(row[0])); });
    return ids;
  }

  Database& database_;
  std::int64_t study_;
  TrialReader reader_;
  TrialWriter writer_;
  double lease_seconds_;
  std::string worker_;
};

}  // namespace

std::unique_ptr<SharedTrials> shared_trials_by_row(const SharedStudy& study) {
  return std::make_unique<TrialsByRow>(study);
}

}  // namespace quantsearch
