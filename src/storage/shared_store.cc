// A study that several processes work on. A process that begins a trial holds the lock of the
// study. A running trial belongs to the process that its system attribute names, and the lease is
// the trial's row of trial_heartbeats, by the clock of the database. A process that was too slow
// and lost its lease finds the name of another process there, and its result is not written.

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <limits>
#include <map>
#include <mutex>
#include <random>
#include <thread>
#include <type_traits>

#include "quantsearch/base/error.h"
#include "quantsearch/storage.h"
#include "storage/database.h"
#include "storage/json.h"
#include "storage/study_table.h"
#include "storage/trial_reader.h"
#include "storage/trial_writer.h"

namespace quantsearch {

namespace {

constexpr std::int64_t kLastId = std::numeric_limits<std::int64_t>::max();
constexpr const char* kWorker = "quantsearch:worker";  // system attribute of a trial

/// A name that no other process on any machine has.
std::string new_worker() {
  std::random_device device;
  return write_json(fmt::format("{}-{:08x}{:08x}{:08x}", ::getpid(), device(), device(), device()));
}

/// The time for which a call waits for a database that went away.
class Lease {
 public:
  explicit Lease(double seconds)
      : seconds_(seconds),
        end_(std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds)) {}

  /// Calls `connect` until it does not throw IoError. Throws StudyLost when the lease is over.
  void wait_for(const std::function<void()>& connect) const {
    while (true) {
      try {
        return connect();
      } catch (const IoError& error) {
        if (std::chrono::steady_clock::now() >= end_) {
          throw StudyLost(fmt::format("{}; the search waited for it as long as a lease, {} s",
                                      error.what(), seconds_));
        }
      }
      std::this_thread::sleep_for(std::chrono::duration<double>(std::min(seconds_ / 20, 0.5)));
    }
  }

 private:
  double seconds_;
  std::chrono::time_point<std::chrono::steady_clock, std::chrono::duration<double>> end_;
};

class SharedStore final : public SharedStudyStore {
 public:
  SharedStore(std::unique_ptr<Database> database, const StudyDescription& description,
              double lease_seconds)
      : database_(std::move(database)),
        study_(open_study(*database_, description, Database::Use::shared)),
        reader_(*database_, study_, description.goals.size()),
        writer_(*database_, study_, description),
        lease_seconds_(lease_seconds),
        worker_(new_worker()) {}

  ~SharedStore() override {
    try {
      const std::scoped_lock lock(mutex_);
      renew("'1970-01-01 00:00:00'");
    } catch (const std::exception&) {
      // The leases expire by themselves.
    }
  }
  SharedStore(const SharedStore&) = delete;
  SharedStore& operator=(const SharedStore&) = delete;

  std::vector<Trial> load() override {
    const std::scoped_lock lock(mutex_);
    return lasting([this](bool /*again*/) {
      const Transaction moment(*database_, Database::Access::read);
      seen_ = 0;
      unfinished_.clear();
      news_.clear();
      refresh();
      std::vector<Trial> trials = std::move(news_);
      news_.clear();
      for (const auto& [id, stored] : unfinished_) {
        if (!stored.is_waiting) trials.push_back(stored.trial);
      }
      std::ranges::stable_sort(trials, {}, &Trial::number);
      return trials;
    });
  }

  void start(const Trial& running) override {
    throw InternalError(
        fmt::format("{}: trial {} starts in a shared study, expected it to begin "
                    "with begin()",
                    database_->name(), running.number));
  }

  Value decision(const std::string& key) override {
    const std::scoped_lock lock(mutex_);
    return lasting([&](bool /*again*/) { return read_decision(*database_, study_, key); });
  }

  Value decide(const std::string& key, const Value& value) override {
    const std::scoped_lock lock(mutex_);
    database_->require_in_place();
    return lasting([&](bool /*again*/) {
      database_->set_durable(true);
      return keep_decision(*database_, study_, key, value);
    });
  }

  void save(const Trial& finished) override {
    if (finish(finished)) return;
    throw IoError(
        fmt::format("{}: trial {} was taken over by another process when its lease of {} s had run "
                    "out; keep it "
                    "alive more often, or lease for longer",
                    database_->name(), finished.number, lease_seconds_));
  }

  bool finish(const Trial& finished) override {
    const std::scoped_lock lock(mutex_);
    const auto own = own_.find(finished.number);
    if (own == own_.end() || own->second.trial.point != finished.point) {
      throw InternalError(fmt::format("{}: trial {} ends, but this process did not begin it",
                                      database_->name(), finished.number));
    }
    database_->require_in_place();
    const std::int64_t id = own->second.id;
    const bool is_ours = lasting([&](bool again) { return try_finish(id, finished, again); });
    own_.erase(own);
    return is_ours;
  }

  std::optional<Trial> begin(const Propose& propose) override {
    const std::scoped_lock lock(mutex_);
    database_->require_in_place();
    std::optional<Point> proposed;
    const std::optional<StoredTrial> begun =
        lasting([&](bool again) { return try_begin(propose, proposed, again); });
    if (!begun) return std::nullopt;
    return own_.insert_or_assign(begun->trial.number, *begun).first->second.trial;
  }

  [[nodiscard]] double lease_seconds() const override { return lease_seconds_; }

  void keep_alive() override {
    const std::scoped_lock lock(mutex_);
    lasting([this](bool /*again*/) {
      database_->set_durable(false);
      renew(now(database_->dialect()));
    });
  }

 private:
  /// Runs `call`, and again when the connection is lost and comes back within a lease. `call` is
  /// told whether it runs again, because the transaction of its last run may have been committed.
  template <typename Call>
  std::invoke_result_t<Call, bool> lasting(const Call& call) {
    const Lease lease(lease_seconds_);
    for (bool again = false;; again = true) {
      try {
        return call(again);
      } catch (const ConnectionLost&) {
        lease.wait_for([this] { database_->reconnect(); });
      }
    }
  }

  bool try_finish(std::int64_t id, const Trial& finished, bool again) {
    database_->set_durable(true);
    Transaction transaction(*database_, Database::Access::write);
    const bool is_running = writer_.lock_running(id);
    const bool is_ours = (is_running || again) && belongs_to_us(id);
    if (is_running && is_ours) {
      writer_.finish(id, finished);
      const std::array<Cell, 1> cells{id};
      database_->run("DELETE FROM trial_heartbeats WHERE trial_id = $1", cells);
    }
    transaction.commit();
    return is_ours;
  }

  /// The lock of the study is held only while the point is chosen and written: what other processes
  /// have finished is read before. `proposed`: the point of an earlier run of this call.
  std::optional<StoredTrial> try_begin(const Propose& propose, std::optional<Point>& proposed,
                                       bool again) {
    database_->set_durable(false);  // losing the transaction costs nothing
    refresh();
    const bool may_take_over = has_old_lease();
    Transaction transaction(*database_, Database::Access::write);
    lock_study(*database_, study_);
    std::optional<StoredTrial> begun = again ? begun_unnoticed() : std::nullopt;
    if (!begun && !proposed && may_take_over) begun = take_over();
    if (!begun) {
      take_in(reader_.read_begun(seen_ + 1));
      if (proposed && is_taken(*proposed)) proposed.reset();
      if (!proposed) {
        proposed = propose(current_news());
        news_.clear();
      }
      if (proposed) begun = add(*proposed);
    }
    transaction.commit();
    return begun;
  }

  /// The trial of a transaction whose COMMIT was not answered.
  std::optional<StoredTrial> begun_unnoticed() {
    const std::array<Cell, 3> cells{kWorker, worker_, study_};
    std::vector<std::int64_t> ids;
    database_->run(
        "SELECT t.trial_id FROM trial_system_attributes a JOIN trials t ON t.trial_id = a.trial_id "
        "WHERE a.key = $1 AND a.value_json = $2 AND t.study_id = $3 AND t.state = 'RUNNING'",
        cells, [&](const Row& row) { ids.push_back(integer_in(row[0])); });
    for (const std::int64_t id : ids) {
      const auto is_known = [id](const auto& own) { return own.second.id == id; };
      if (std::ranges::none_of(own_, is_known)) return std::move(reader_.read(id, id).at(0));
    }
    return std::nullopt;
  }

  /// True when a process that did not wait for the database took the point meanwhile.
  [[nodiscard]] bool is_taken(const Point& point) const {
    return std::ranges::any_of(news_, [&](const Trial& trial) { return trial.point == point; }) ||
           std::ranges::any_of(
               unfinished_, [&](const auto& entry) { return entry.second.trial.point == point; });
  }

  [[nodiscard]] bool belongs_to_us(std::int64_t id) {
    const std::array<Cell, 2> cells{id, kWorker};
    const auto row = database_->first(
        "SELECT value_json FROM trial_system_attributes WHERE trial_id = $1 AND key = $2", cells);
    return row && text_in((*row)[0]) == worker_;
  }

  /// Reads the unfinished trials that have ended, and the trials that began since the last read.
  void refresh() {
    const std::vector<std::int64_t> ended = ended_ones();
    if (!ended.empty()) {
      std::vector<StoredTrial> read = reader_.read(ended.front(), ended.back());
      std::erase_if(read, [&](const StoredTrial& stored) {
        return !std::ranges::binary_search(ended, stored.id);
      });
      take_in(std::move(read));
    }
    take_in(reader_.read(seen_ + 1, kLastId));
  }

  /// The ids of unfinished trials that are no longer running, in order.
  std::vector<std::int64_t> ended_ones() {
    if (unfinished_.empty()) return {};
    std::vector<std::int64_t> ids;
    for (const auto& [id, stored] : unfinished_) ids.push_back(id);
    const std::array<Cell, 1> cells{list_cell(database_->dialect(), ids)};
    std::vector<std::int64_t> ended;
    database_->run(
        fmt::format("SELECT trial_id FROM trials WHERE {} AND state <> 'WAITING' AND (state <> "
                    "'RUNNING' OR {}) ORDER BY trial_id",
                    is_among(database_->dialect(), "trial_id", "$1"),
                    has_waiting() ? "TRUE" : "FALSE"),
        cells, [&](const Row& row) { ended.push_back(integer_in(row[0])); });
    return ended;
  }

  /// Whether a trial waited for Optuna at the last read, which may have begun to run it.
  [[nodiscard]] bool has_waiting() const {
    return std::ranges::any_of(unfinished_,
                               [](const auto& entry) { return entry.second.is_waiting; });
  }

  void take_in(std::vector<StoredTrial> read) {
    for (StoredTrial& stored : read) {
      seen_ = std::max(seen_, stored.id);
      if (stored.trial.state == TrialState::running) {
        unfinished_.insert_or_assign(stored.id, std::move(stored));
      } else {
        unfinished_.erase(stored.id);
        news_.push_back(std::move(stored.trial));
      }
    }
  }

  [[nodiscard]] News current_news() const {
    News news{.finished = news_, .running = {}};
    for (const auto& [id, stored] : unfinished_) {
      if (!stored.is_waiting) news.running.push_back(stored.trial);
    }
    std::ranges::stable_sort(news.finished, {}, &Trial::number);
    std::ranges::stable_sort(news.running, {}, &Trial::number);
    return news;
  }

  StoredTrial add(const Point& point) {
    StoredTrial stored;
    stored.trial.point = point;
    stored.id = writer_.add_next(stored.trial);
    const std::array<Cell, 3> worker{stored.id, kWorker, worker_};
    database_->run(
        "INSERT INTO trial_system_attributes (trial_id, key, value_json) VALUES ($1, $2, $3)",
        worker);
    const std::array<Cell, 1> id{stored.id};
    database_->run(fmt::format("INSERT INTO trial_heartbeats (trial_id, heartbeat) VALUES ($1, {})",
                               now(database_->dialect())),
                   id);
    return stored;
  }

  /// Leases the trial with the lowest number whose lease has expired to this process. Optuna's own
  /// trials have no worker and are not taken over.
  std::optional<StoredTrial> take_over() {
    for (const std::int64_t id : expired()) {
      if (!writer_.lock_running(id)) continue;  // it has just ended
      const std::array<Cell, 3> worker{worker_, id, kWorker};
      database_->run(
          "UPDATE trial_system_attributes SET value_json = $1 WHERE trial_id = $2 AND key = $3",
          worker);
      const std::array<Cell, 1> cells{id};
      database_->run(fmt::format("UPDATE trial_heartbeats SET heartbeat = {} WHERE trial_id = $1",
                                 now(database_->dialect())),
                     cells);
      database_->run(fmt::format("UPDATE trials SET datetime_start = {} WHERE trial_id = $1",
                                 now(database_->dialect())),
                     cells);
      return std::move(reader_.read(id, id).at(0));
    }
    return std::nullopt;
  }

  /// True when a lease of any study is too old. This is asked for each trial, and needs no join.
  bool has_old_lease() {
    const std::array<Cell, 1> cells{lease_seconds_};
    const auto row = database_->first(
        fmt::format(
            "SELECT h.trial_id FROM trial_heartbeats h WHERE {} > $1 LIMIT 1",
            seconds_between(database_->dialect(), "h.heartbeat", now(database_->dialect()))),
        cells);
    return row.has_value();
  }

  std::vector<std::int64_t> expired() {
    const std::array<Cell, 4> cells{kWorker, study_, worker_, lease_seconds_};
    std::vector<std::int64_t> ids;
    database_->run(
        fmt::format(
            "SELECT t.trial_id FROM trial_heartbeats h JOIN trials t ON t.trial_id = h.trial_id "
            "JOIN trial_system_attributes a ON a.trial_id = t.trial_id AND a.key = $1 WHERE "
            "t.study_id + 0 = $2 AND t.state = 'RUNNING' AND a.value_json <> $3 AND {} > $4 ORDER "
            "BY "
            "t.trial_id",
            seconds_between(database_->dialect(), "h.heartbeat", now(database_->dialect()))),
        cells, [&](const Row& row) { ids.push_back(integer_in(row[0])); });
    return ids;
  }

  /// Sets the heartbeat of every trial that still belongs to this process.
  void renew(const std::string& time) {
    if (own_.empty()) return;
    Transaction transaction(*database_, Database::Access::write);
    for (const auto& [number, stored] : own_) {
      const std::array<Cell, 3> cells{stored.id, kWorker, worker_};
      database_->run(
          fmt::format("UPDATE trial_heartbeats SET heartbeat = {} WHERE trial_id = $1 AND EXISTS "
                      "(SELECT 1 FROM trial_system_attributes a WHERE a.trial_id = $1 AND a.key = "
                      "$2 AND a.value_json = $3)",
                      time),
          cells);
    }
    transaction.commit();
  }

  std::unique_ptr<Database> database_;
  std::int64_t study_;
  TrialReader reader_;
  TrialWriter writer_;
  double lease_seconds_;
  std::string worker_;                       // as JSON
  std::mutex mutex_;                         // guards the connection and the members below
  std::map<std::int64_t, StoredTrial> own_;  // by number: running trials that began here
  // State of the last read.
  std::int64_t seen_ = 0;                           // the largest id
  std::map<std::int64_t, StoredTrial> unfinished_;  // by id
  std::vector<Trial> news_;                         // finished trials that were not reported yet
};

std::unique_ptr<SharedStudyStore> store_in(const auto& open, const StudyDescription& description,
                                           double lease_seconds) {
  check(description);
  if (!(lease_seconds > 0) || lease_seconds > 1e9) {
    throw InvalidInput(fmt::format("study '{}': a lease of {} s, expected more than 0",
                                   description.name, lease_seconds));
  }
  // A database that is not there at first is an error of the user; one that goes away is waited
  // for.
  std::unique_ptr<Database> database = open();
  const Lease lease(lease_seconds);
  while (true) {
    try {
      return std::make_unique<SharedStore>(std::move(database), description, lease_seconds);
    } catch (const ConnectionLost&) {
      lease.wait_for([&] { database = open(); });
    }
  }
}

}  // namespace

std::unique_ptr<SharedStudyStore> shared_sqlite_store(const std::filesystem::path& file,
                                                      const StudyDescription& description,
                                                      double lease_seconds) {
  return store_in([&] { return open_sqlite(file, Database::Access::write); }, description,
                  lease_seconds);
}

std::unique_ptr<SharedStudyStore> shared_postgresql_store(const std::string& url,
                                                          const StudyDescription& description,
                                                          double lease_seconds) {
  return store_in([&] { return open_postgresql(url); }, description, lease_seconds);
}

}  // namespace quantsearch
