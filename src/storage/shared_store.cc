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
#include "storage/shared_trials.h"
#include "storage/study_table.h"
#include "storage/trial_reader.h"

namespace quantsearch {

namespace {

constexpr std::int64_t kLastId = std::numeric_limits<std::int64_t>::max();

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

std::unique_ptr<SharedTrials> shared_trials(const SharedStudy& study) {
  switch (study.database.dialect()) {
    case Database::Dialect::sqlite:
      return shared_trials_by_row(study);
    case Database::Dialect::postgresql:
      return shared_trials_by_record(study);
  }
  throw InternalError("dialect without shared trials");
}

class SharedStore final : public SharedStudyStore {
 public:
  SharedStore(std::unique_ptr<Database> database, const StudyDescription& description,
              double lease_seconds)
      : database_(std::move(database)),
        study_(open_study(*database_, description, Database::Use::shared)),
        reader_(*database_, study_, description.goals.size()),
        trials_(shared_trials({.database = *database_,
                               .id = study_,
                               .description = description,
                               .lease_seconds = lease_seconds,
                               .worker = new_worker()})),
        lease_seconds_(lease_seconds) {}

  ~SharedStore() override {
    try {
      const std::scoped_lock lock(mutex_);
      renew(kLongAgo);
    } catch (const std::exception&) {
      // The leases expire by themselves.
    }
  }
  SharedStore(const SharedStore&) = delete;
  SharedStore& operator=(const SharedStore&) = delete;

  /// When the connection is lost in between, the trials that were passed are not passed again.
  void visit(const std::function<void(Trial&&)>& take) override {
    const std::scoped_lock lock(mutex_);
    seen_ = 0;
    unfinished_.clear();
    news_.clear();
    lasting([&](bool /*again*/) {
      const Transaction moment(*database_, Database::Access::read);
      reader_.visit(seen_ + 1, kLastId, [&](StoredTrial&& stored) {
        seen_ = stored.id;
        if (stored.trial.state == TrialState::running) unfinished_.emplace(stored.id, stored);
        if (!stored.is_waiting) take(std::move(stored.trial));
      });
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
    const bool is_ours = lasting([&](bool again) { return trials_->finish(id, finished, again); });
    own_.erase(own);
    return is_ours;
  }

  std::optional<Trial> begin(const Propose& propose, const Learn& learn) override {
    const std::scoped_lock lock(mutex_);
    database_->require_in_place();
    std::optional<Point> proposed;
    const std::optional<StoredTrial> begun =
        lasting([&](bool again) { return try_begin(propose, learn, proposed, again); });
    if (!begun) return std::nullopt;
    return own_.insert_or_assign(begun->trial.number, *begun).first->second.trial;
  }

  [[nodiscard]] double lease_seconds() const override { return lease_seconds_; }

  void keep_alive() override {
    const std::scoped_lock lock(mutex_);
    lasting([this](bool /*again*/) { renew(now(database_->dialect())); });
  }

  void complete(std::vector<Trial>& trials) override {
    const std::scoped_lock lock(mutex_);
    for (Trial& trial : trials) {
      const auto abridged = abridged_.find(trial.number);
      if (abridged == abridged_.end()) continue;
      const std::int64_t id = abridged->second;
      trial = std::move(lasting([&](bool /*again*/) { return reader_.read(id, id); }).at(0).trial);
    }
    abridged_.clear();
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

  /// The lock of the study is held only while the point is chosen and written: what other processes
  /// have finished is read and learned before. `proposed`: the point of an earlier run of this
  /// call.
  std::optional<StoredTrial> try_begin(const Propose& propose, const Learn& learn,
                                       std::optional<Point>& proposed, bool again) {
    database_->set_durable(false);  // losing the transaction costs nothing
    SharedTrials::Changes changes = trials_->changes(known());
    take_in(std::move(changes.trials));
    if (proposed && is_taken(*proposed)) proposed.reset();
    pass_on(learn);
    SharedTrials::Locked locked = trials_->lock(seen_);
    take_in(std::move(locked.begun));
    std::optional<StoredTrial> begun = again ? begun_unnoticed() : std::nullopt;
    if (!begun && !proposed && changes.has_old_lease) begun = trials_->take_over();
    if (begun) {
      locked.transaction->commit();
      return begun;
    }
    if (proposed && is_taken(*proposed)) proposed.reset();
    if (!proposed) {
      proposed = propose(current_news());
      news_.clear();
    }
    if (proposed) return trials_->add(*proposed, *locked.transaction);
    locked.transaction->commit();
    return std::nullopt;
  }

  /// The trial of a transaction whose COMMIT was not answered.
  std::optional<StoredTrial> begun_unnoticed() {
    for (const std::int64_t id : trials_->running_here()) {
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

  [[nodiscard]] SharedTrials::Known known() const {
    SharedTrials::Known known{.last = seen_};
    for (const auto& [id, stored] : unfinished_) {
      known.unfinished.push_back(id);
      known.has_waiting = known.has_waiting || stored.is_waiting;
    }
    return known;
  }

  void take_in(std::vector<StoredTrial> read) {
    for (StoredTrial& stored : read) {
      seen_ = std::max(seen_, stored.id);
      if (stored.trial.state == TrialState::running) {
        unfinished_.insert_or_assign(stored.id, std::move(stored));
      } else {
        if (stored.is_abridged) abridged_.emplace(stored.trial.number, stored.id);
        unfinished_.erase(stored.id);
        news_.push_back(std::move(stored.trial));
      }
    }
  }

  void pass_on(const Learn& learn) {
    if (!learn || news_.empty()) return;
    std::ranges::stable_sort(news_, {}, &Trial::number);
    learn(news_);
    news_.clear();
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

  void renew(const std::string& time) {
    if (own_.empty()) return;
    std::vector<std::int64_t> ids;
    for (const auto& [number, stored] : own_) ids.push_back(stored.id);
    trials_->renew(ids, time);
  }

  std::unique_ptr<Database> database_;
  std::int64_t study_;
  TrialReader reader_;
  std::unique_ptr<SharedTrials> trials_;
  double lease_seconds_;
  std::mutex mutex_;                         // guards the connection and the members below
  std::map<std::int64_t, StoredTrial> own_;  // by number: running trials that began here
  // State of the last read.
  std::int64_t seen_ = 0;                           // the largest id
  std::map<std::int64_t, StoredTrial> unfinished_;  // by id
  std::vector<Trial> news_;                         // finished trials that were not reported yet
  std::map<std::int64_t, std::int64_t> abridged_;   // numbers and ids of trials reported in part
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
